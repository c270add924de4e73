import { randomBytes } from 'node:crypto';
import { signatureOf } from '../signatures.js';
import { allChecks } from './allChecks.js';
import { Bench } from './bench.js';
import type { Check, Result } from './check.js';
import { EventsListener } from './eventsListener.js';
import type { Opener } from './opener.js';
import { ServerClient } from './serverClient.js';
import { Failure, Skip } from './verdict.js';

/** What to check, and how. */
export interface CheckOptions {
  /** Where the server answers the service, such as `http://127.0.0.1:8001`. */
  readonly url: URL;
  readonly opener: Opener;
  /** Where the server shall post. Default: any free port of the address that the server sees. */
  readonly listen?: { host: string; port: number } | undefined;
  /** Signs requests, if the server has a secret. */
  readonly secret?: string | undefined;
  readonly restart?: (() => Promise<void>) | undefined;
  readonly sendsBadInput?: boolean | undefined;
  /** How long to wait for what a server must do. Default 10,000 ms. */
  readonly withinMs?: number | undefined;
  /** How long to watch at the end for what a server must not do. Default 2,000 ms. */
  readonly watchMs?: number | undefined;
}

const docs = 'docs/protocol.md';
/** Of a check, which waits for several things. */
const deadlineFactor = 12;

/** Checks a server as the dashboard would drive it. Rejects if the server cannot be reached at all. */
export async function runChecks(options: CheckOptions): Promise<Result[]> {
  const bench = await createBench(options);
  const results = new Map<string, Result>();
  const claims: { id: string; problem: () => string | undefined }[] = [];
  try {
    for (const check of allChecks) {
      results.set(check.id, await runOne(check, bench, results));
      claims.push(...bench.claims.splice(0).map((problem) => ({ id: check.id, problem })));
      await bench.connections.closeAll();
    }
    for (const { id, problem } of claims) applyClaim(results, id, problem());
    return [...results.values()];
  } finally {
    // It must not go on posting to a listener that is gone.
    await bench.deactivate().catch(() => undefined);
    await bench.close();
  }
}

async function createBench(options: CheckOptions): Promise<Bench> {
  const { url, opener, withinMs = 10_000, watchMs = 2_000 } = options;
  const { secret } = options;
  const sign = secret === undefined ? undefined : signatureOf.bind(undefined, secret);
  const server = new ServerClient(url, withinMs, sign);
  const run = randomBytes(4).toString('hex');
  const listener = new EventsListener(run);
  const { host, port } = options.listen ?? { host: await server.localAddress(), port: 0 };
  await listener.listen(host, port);
  const { restart, sendsBadInput = false } = options;
  const how = { withinMs, watchMs, restart, secret, sendsBadInput };
  return new Bench({ run, server, listener, opener, ...how });
}

async function runOne(
  check: Check,
  bench: Bench,
  results: ReadonlyMap<string, Result>,
): Promise<Result> {
  const cause = failureBefore(check, results);
  if (cause !== undefined) return resultOf(check, 'skipped', `'${cause}' failed`);
  try {
    return resultOf(check, 'pass', await within(bench.withinMs * deadlineFactor, check.run(bench)));
  } catch (cause) {
    if (cause instanceof Skip) return resultOf(check, 'skipped', cause.message);
    if (cause instanceof Failure) return resultOf(check, 'fail', cause.message);
    throw cause;
  }
}

/** The failed check without which this one would only fail too. */
function failureBefore(check: Check, results: ReadonlyMap<string, Result>): string | undefined {
  for (const id of check.needs ?? []) {
    if (results.get(id)?.result === 'fail') return id;
    const needed = allChecks.find((other) => other.id === id);
    const cause = needed && failureBefore(needed, results);
    if (cause !== undefined) return cause;
  }
  return undefined;
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Failure(`not over after ${ms / 1_000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function resultOf(check: Check, result: Result['result'], seen: string): Result {
  const { id, level, expects, section } = check;
  return { id, result, level, expected: expects, seen, link: `${docs}#${section}` };
}

/** What happened later can only make a result worse. */
function applyClaim(results: Map<string, Result>, id: string, problem: string | undefined): void {
  const before = results.get(id);
  if (before?.result === 'pass' && problem !== undefined)
    results.set(id, { ...before, result: 'fail', seen: problem });
}
