import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Random } from '../worlds/random.js';
import { Coverage } from './coverage.js';
import { mutate } from './mutations.js';
import { closeTargets, type Target, targets } from './targets.js';

/**
 * `npm run fuzz`: feeds what strangers can send to what reads it by hand. Inputs that reach code which none
 * reached before are kept and changed further. See docs/security.md.
 */

const usage = `npm run fuzz -- [--seconds T] [--seed N] [--target NAME]... [--save]
  --seconds T    in all, shared by the targets (60)
  --seed N       of the chance by which inputs are changed
  --target NAME  one of ${targets.map(({ name }) => name).join(', ')}
  --save         keeps what reaches new code in test/fuzz/corpus`;

/** Processor time that one input may take: what is quadratic takes more, and a busy machine does not. */
const maxCpuMs = 2000;
const corpusFolder = join(import.meta.dirname, 'corpus');
const maxSaved = { inputs: 60, bytes: 1024 };

const say = (line: string) => process.stdout.write(`${line}\n`);

class Failure extends Error {}

function run({ name, check }: Target, input: Buffer): void {
  const before = process.cpuUsage();
  try {
    check(input);
  } catch (cause) {
    throw new Failure(`${name} fails on ${JSON.stringify(input.toString('base64'))} (base64)`, {
      cause,
    });
  }
  const { user, system } = process.cpuUsage(before);
  if (user + system > 1000 * maxCpuMs)
    throw new Failure(
      `${name} takes ${(user + system) / 1000} ms for ${input.toString('base64')} (base64)`,
    );
}

const nameOf = (input: Buffer) => createHash('sha256').update(input).digest('hex').slice(0, 16);

function savedInputs({ name }: Target): Buffer[] {
  const folder = join(corpusFolder, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((file) => readFileSync(join(folder, file)));
}

function save({ name }: Target, corpus: readonly Buffer[]): void {
  const folder = join(corpusFolder, name);
  mkdirSync(folder, { recursive: true });
  const small = corpus.filter(({ length }) => length <= maxSaved.bytes).slice(0, maxSaved.inputs);
  for (const input of small) writeFileSync(join(folder, nameOf(input)), input);
}

interface Fuzzing {
  untilMs: number;
  seed: number;
  isSaving: boolean;
}

/** Fuzzes one target until a time of `performance.now()`. Throws `Failure`. */
function fuzz(target: Target, { untilMs, seed, isSaving }: Fuzzing): void {
  const random = new Random(seed);
  const coverage = new Coverage();
  const corpus = [...target.seeds.map((input) => Buffer.from(input)), ...savedInputs(target)];
  const known = corpus.length;
  for (const input of corpus) run(target, input);
  coverage.takeIsNew();
  const atStart = coverage.reached;
  let inputs = 0;
  while (performance.now() < untilMs) {
    const input = mutate(random.pick(corpus) ?? Buffer.alloc(0), random, {
      tokens: target.tokens,
      corpus,
    });
    run(target, input);
    if (coverage.takeIsNew()) corpus.push(input);
    inputs += 1;
  }
  const found = corpus.slice(known);
  if (isSaving) save(target, found);
  const { name } = target;
  say(
    `${name}: ${inputs} inputs, ${found.length} of them new; ${coverage.reached} places reached, ${atStart} by the corpus`,
  );
}

function main(): void {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      target: { type: 'string', multiple: true, default: targets.map(({ name }) => name) },
      save: { type: 'boolean', default: false },
    },
  });
  const chosen = targets.filter(({ name }) => values.target.includes(name));
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (chosen.length === 0 || !(seconds > 0) || !Number.isInteger(seed)) throw new Failure(usage);
  say(`seed ${seed}`);
  const each = (1000 * seconds) / chosen.length;
  for (const target of chosen)
    fuzz(target, { untilMs: performance.now() + each, seed, isSaving: values.save });
}

try {
  main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  say(error.message);
  if (error.cause) say(String((error.cause as Error).stack ?? error.cause));
  process.exitCode = 1;
} finally {
  closeTargets();
}
