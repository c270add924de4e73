import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { BadUpdate } from './documentErrors.js';
import { type Reference, readUpdate } from './updateReader.js';

/**
 * The most that an update may cost Yjs for what waits in it: clients that wait, times clients in all. For each that
 * waits Yjs copies the list of those that are left: 10 million take it about 0.2 s. Thousands of clients of which
 * some hundreds wait are far below.
 */
const maxWork = 10_000_000;

/** As many clients may wait in a document: each time that what they wait for comes, all of them are tried again. */
export const maxPendingClients = 3_000;

/** One client's structs, in order. */
interface Line {
  /** What must be there before a struct, flat: its clock, then the client and the clock that it refers to. */
  readonly needs: number[];
  /** The place in `needs`. */
  at: number;
  /** Clocks before this one are there. */
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
  const nobody = () => undefined;
  readUpdate(update, {
    struct: (client, clock, length, kind, head) => {
      const line = lineOf(client);
      if (kind === 'gap' || clock + length <= line.reached) return;
      const need = (to: Reference | undefined) => {
        if (to !== undefined && to.client !== client) line.needs.push(clock, to.client, to.clock);
      };
      // A gap is before it.
      if (clock > Math.max(line.reached, line.end)) line.needs.push(clock, client, clock - 1);
      line.end = clock + length;
      need(head?.origin);
      need(head?.rightOrigin);
      need(head?.parent);
    },
    deletion: nobody,
  });
  return lines;
}

// Goes on until a need is not met, or `until` is there; answers the need.
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

/** How many clients of an update have structs that a document cannot take yet. As long as the update is long. */
function countWaiting(update: Uint8Array, doc: Y.Doc | undefined): number {
  const lines = readLines(update, doc);
  const reachedOf = (client: number): number =>
    lines.get(client)?.reached ?? (doc ? Y.getState(doc.store, client) : 0);
  let waiting = 0;
  for (const line of lines.values()) {
    if (line.isBlocked) continue;
    // Each is there for the one before it.
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
 * Throws `BadUpdate` for an update that Yjs would take long over only because too much in it waits for what is
 * missing; `doc` has some of it already. Of so many clients one must also be readable by this service.
 */
export function refuseWaiting(update: Uint8Array, doc?: Y.Doc, most = maxWork): void {
  const clients = clientsIn(update);
  if (clients * clients <= most) return;
  if (countWaiting(update, doc) * clients <= most) return;
  throw new BadUpdate('too many clients wait for missing updates');
}

/** How many clients wait in a document. */
export function clientsPending({ store }: Y.Doc): number {
  if (store.pendingStructs === null) return 0;
  const { restDecoder } = new Y.UpdateDecoderV2(
    decoding.createDecoder(store.pendingStructs.update),
  );
  return decoding.readVarUint(restDecoder);
}
