import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { BadUpdate } from './documentErrors.js';
import { type Reference, readUpdate } from './updateReader.js';

/**
 * Limit of the work that waiting clients cost Yjs: waiting clients times all clients of an update. For each waiting
 * client Yjs copies the list of the remaining ones; 10 million take about 0.2 s. Normal updates are far below.
 */
const maxWork = 10_000_000;

/** Most clients that may wait in a document. Yjs retries all of them whenever a missing update arrives. */
export const maxPendingClients = 3_000;

/** The structs of one client, in order. */
interface Line {
  /** Dependencies as a flat list: the clock of a struct, then the client and the clock that it refers to. */
  readonly needs: number[];
  /** Position in `needs`. */
  at: number;
  /** Clocks before this one can be applied. */
  reached: number;
  end: number;
  isBlocked: boolean;
}

interface Visit {
  readonly line: Line;
  readonly until: number;
}

function clientsIn(update: Uint8Array): number {
  try {
    return decoding.readVarUint(decoding.createDecoder(update));
  } catch {
    return 0;
  }
}

function readLines(update: Uint8Array, doc: Y.Doc | undefined): Map<number, Line> {
  const lines = new Map<number, Line>();
  const lineOf = (client: number): Line => {
    const known = lines.get(client);
    if (known) return known;
    const reached = doc ? Y.getState(doc.store, client) : 0;
    const line = { needs: [], at: 0, reached, end: 0, isBlocked: false };
    lines.set(client, line);
    return line;
  };
  const ignore = () => undefined;
  readUpdate(update, {
    struct: (client, clock, length, kind, head) => {
      const line = lineOf(client);
      if (kind === 'gap' || clock + length <= line.reached) return;
      const need = (to: Reference | undefined) => {
        if (to !== undefined && to.client !== client) line.needs.push(clock, to.client, to.clock);
      };
      // There is a gap before this struct.
      if (clock > Math.max(line.reached, line.end)) line.needs.push(clock, client, clock - 1);
      line.end = clock + length;
      need(head?.origin);
      need(head?.rightOrigin);
      need(head?.parent);
    },
    deletion: ignore,
  });
  return lines;
}

/** Advances until `until` is reached or a dependency is missing; returns that dependency. */
function advance(
  { line, until }: Visit,
  reachedOf: (client: number) => number,
): Reference | undefined {
  const { needs } = line;
  for (; line.at < needs.length; line.at += 3) {
    line.reached = Math.max(line.reached, needs[line.at] ?? 0);
    if (line.reached > until) return undefined;
    const [client, clock] = [needs[line.at + 1] ?? 0, needs[line.at + 2] ?? 0];
    if (reachedOf(client) <= clock) return { client, clock };
  }
  line.reached = Math.max(line.reached, line.end);
  return undefined;
}

/** Counts the clients with structs that a document cannot apply yet. Takes time in proportion to the update. */
function countWaiting(update: Uint8Array, doc: Y.Doc | undefined): number {
  const lines = readLines(update, doc);
  const reachedOf = (client: number): number =>
    lines.get(client)?.reached ?? (doc ? Y.getState(doc.store, client) : 0);
  let waiting = 0;
  for (const line of lines.values()) {
    if (line.isBlocked) continue;
    // Each visit resolves a dependency of the visit before it.
    const visits: Visit[] = [{ line, until: Infinity }];
    const visited = new Set([line]);
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const need = advance(visit, reachedOf);
      if (need === undefined) {
        visits.pop();
        visited.delete(visit.line);
        continue;
      }
      const next = lines.get(need.client);
      const isMissing = !next || next.isBlocked || next.end <= need.clock || visited.has(next);
      if (!isMissing) {
        visits.push({ line: next, until: need.clock });
        visited.add(next);
        continue;
      }
      for (const { line: blocked } of visits.splice(0)) {
        blocked.isBlocked = true;
        waiting += 1;
      }
    }
  }
  return waiting;
}

/**
 * Throws `BadUpdate` for an update that would keep Yjs busy because too many of its clients wait for missing updates.
 * `doc`: a document that may have these updates. With so many clients, the update must also be readable by us.
 */
export function refuseWaiting(update: Uint8Array, doc?: Y.Doc, most = maxWork): void {
  const clients = clientsIn(update);
  if (clients * clients <= most) return;
  if (countWaiting(update, doc) * clients <= most) return;
  throw new BadUpdate('too many clients wait for missing updates');
}

/** Number of clients that wait in a document. */
export function clientsPending({ store }: Y.Doc): number {
  if (store.pendingStructs === null) return 0;
  const { restDecoder } = new Y.UpdateDecoderV2(
    decoding.createDecoder(store.pendingStructs.update),
  );
  return decoding.readVarUint(restDecoder);
}
