import type { z } from 'zod';
import {
  type AcquireAsk,
  type AcquireResult,
  type Answered,
  type Beat,
  type BeatResult,
  type ClusterStore,
  inboxMs,
  maxInboxEntries,
  presenceMs,
  type Release,
  type TakeInbox,
} from './clusterStore.js';
import type { ClusterConnection } from './connect.js';
import { clusterKeys as keys } from './keys.js';
import { acquireReply, beatReply, entriesReply } from './redisReplies.js';
import { readScript, runScript } from './scripts.js';

const scripts = {
  acquire: readScript('acquire'),
  beat: readScript('beat'),
  release: readScript('release'),
  pushInbox: readScript('pushInbox'),
  takeInbox: readScript('takeInbox'),
};

const toFlag = (is: boolean) => (is ? '1' : '0');

/** The `ClusterStore` over a real Redis. Lua scripts do what must not be interrupted. */
export class RedisClusterStore implements ClusterStore {
  readonly #connection: ClusterConnection;
  readonly #deadlineMs: number;
  readonly #open = new Set<(error: Error) => void>();
  #isClosed = false;

  /** It does not own the connection. `deadlineMs`: for each answer. */
  constructor(connection: ClusterConnection, { deadlineMs = 1000 } = {}) {
    this.#connection = connection;
    this.#deadlineMs = deadlineMs;
  }

  acquire({ info, seen, highestTerm, requestId }: AcquireAsk, done: Answered<AcquireResult>): void {
    const { lease } = keys;
    const seenAs = [String(seen.term), String(seen.renewals)];
    const asker = [info.url, info.serversUrl ?? '', String(info.protocol)];
    const args = [info.id, requestId, ...seenAs, String(highestTerm), ...asker];
    this.#run('acquire', [lease], args, done, (reply) =>
      toAcquireResult(acquireReply.parse(reply)),
    );
  }

  beat(beat: Beat, done: Answered<BeatResult>): void {
    const { info, beats, isCandidate, lease: renewed } = beat;
    const { lease, instances, inbox } = keys;
    const said = JSON.stringify({ ...info, beats, isCandidate });
    const renewal = renewed ? [String(renewed.term), toFlag(renewed.isActive)] : ['', '0'];
    const args = [info.id, said, ...renewal, String(presenceMs), String(beat.highestTerm)];
    this.#run('beat', [lease, instances, inbox], args, done, (reply) => {
      const [isRenewed, record, others, inboxLength, highestTerm] = beatReply.parse(reply);
      if (!record) throw new Error('Redis answered without a lease');
      const read = { lease: record, instances: others, inboxLength, highestTerm };
      return { isRenewed: isRenewed === 1, ...read };
    });
  }

  release({ term, instance, isActive, wasForgotten }: Release, done: Answered<void>): void {
    const args = [String(term), instance, toFlag(isActive), toFlag(wasForgotten)];
    this.#run('release', [keys.lease], args, done, () => undefined);
  }

  leave(instance: string, done: Answered<void>): void {
    this.#ask(async () => void (await this.#client.hdel(keys.instances, instance)), done);
  }

  pushInbox(entries: readonly string[], done: Answered<void>): void {
    const kept = entries.slice(-maxInboxEntries);
    const args = [String(maxInboxEntries), String(inboxMs), ...kept];
    if (kept.length === 0) this.#ask(() => Promise.resolve(), done);
    else this.#run('pushInbox', [keys.inbox], args, done, () => undefined);
  }

  takeInbox(
    { term, instance, requestId, confirmed = '' }: TakeInbox,
    done: Answered<string[]>,
  ): void {
    const { lease, inbox, taken } = keys;
    const limits = [String(maxInboxEntries), String(inboxMs)];
    const args = [String(term), instance, requestId, confirmed, ...limits];
    this.#run('takeInbox', [lease, inbox, taken], args, done, (reply) => entriesReply.parse(reply));
  }

  /** Requests that are open fail. */
  close(): void {
    this.#isClosed = true;
    for (const fail of [...this.#open]) fail(new Error('the connection to Redis was closed'));
  }

  get #client() {
    return this.#connection.client;
  }

  #run<T>(
    name: keyof typeof scripts,
    names: readonly string[],
    args: readonly string[],
    done: Answered<T>,
    parse: (reply: unknown) => T,
  ): void {
    this.#ask(async () => parse(await runScript(this.#client, scripts[name], names, args)), done);
  }

  #ask<T>(execute: () => Promise<T>, done: Answered<T>): void {
    const late = new Error(`Redis did not answer within ${this.#deadlineMs} ms`);
    const fail = (error: Error) => settle(error);
    const timer = setTimeout(() => settle(late), this.#deadlineMs);
    const settle: Answered<T> = (error, result) => {
      if (!this.#open.delete(fail)) return;
      clearTimeout(timer);
      if (!this.#isClosed) this.#connection.noteOutcome(error);
      done(error, result);
    };
    this.#open.add(fail);
    execute().then(
      // Not in the promise: what `done` throws must not be swallowed.
      (result) => setImmediate(settle, undefined, result),
      (error: Error) => setImmediate(settle, error),
    );
  }
}

function toAcquireResult(reply: z.infer<typeof acquireReply>): AcquireResult {
  const [isTaken, lease, previous] = reply;
  if (isTaken === 0) return { refusedBy: lease };
  if (!lease) throw new Error('Redis answered without a lease');
  return { taken: lease, previous };
}
