import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { BadUpdate } from './documentErrors.js';
import { type Reference, readUpdate } from './updateReader.js';

/**
 * Limit of the work that waiting clients cost Yjs: waiting clients times all clients of an update. For each waiting
 * client Yjs copies the list of the remaining ones; 10 million take about 0.2 s. Normal updates are far below.
 */
const defaultMaxWork = 10_000_000;

/** Most clients that may wait in a document. Yjs retries all of them whenever a missing update arrives. */
export const maxPendingClients = 3_000;

/** The structs of one client, in order. */
interface ClientStructs {
  /** A flat list: the clock of a struct, then the client and the clock that it refers to. */
  readonly dependencies: number[];
  /** Position in `dependencies`. */
  position: number;
  /** Clocks before this one can be applied. */
  applied: number;
  end: number;
  isBlocked: boolean;
}

interface Visit {
  readonly structs: ClientStructs;
  readonly until: number;
}

function clientsIn(update: Uint8Array): number {
  try {
    return decoding.readVarUint(decoding.createDecoder(update));
  } catch {
    return 0;
  }
}

function readClients(update: Uint8Array, doc: Y.Doc | undefined): Map<number, ClientStructs> {
  const clients = new Map<number, ClientStructs>();
  const structsOf = (client: number): ClientStructs => {
    const known = clients.get(client);
    if (known) return known;
    const applied = doc ? Y.getState(doc.store, client) : 0;
    const structs = { dependencies: [], position: 0, applied, end: 0, isBlocked: false };
    clients.set(client, structs);
    return structs;
  };
  const ignore = () => undefined;
  readUpdate(update, {
    struct: (client, clock, length, kind, head) => {
      const structs = structsOf(client);
      if (kind === 'gap' || clock + length <= structs.applied) return;
      const dependOn = (to: Reference | undefined) => {
        if (to !== undefined && to.client !== client)
          structs.dependencies.push(clock, to.client, to.clock);
      };
      // There is a gap before this struct.
      if (clock > Math.max(structs.applied, structs.end))
        structs.dependencies.push(clock, client, clock - 1);
      structs.end = clock + length;
      dependOn(head?.origin);
      dependOn(head?.rightOrigin);
      dependOn(head?.parent);
    },
    deletion: ignore,
  });
  return clients;
}

/** Advances until `until` is applied or a dependency is missing; returns that dependency. */
function advance(
  { structs, until }: Visit,
  appliedOf: (client: number) => number,
): Reference | undefined {
  const { dependencies } = structs;
  for (; structs.position < dependencies.length; structs.position += 3) {
    const at = structs.position;
    structs.applied = Math.max(structs.applied, dependencies[at] ?? 0);
    if (structs.applied > until) return undefined;
    const [client, clock] = [dependencies[at + 1] ?? 0, dependencies[at + 2] ?? 0];
    if (appliedOf(client) <= clock) return { client, clock };
  }
  structs.applied = Math.max(structs.applied, structs.end);
  return undefined;
}

/** Counts the clients with structs that a document cannot apply yet. Takes time in proportion to the update. */
function countWaiting(update: Uint8Array, doc: Y.Doc | undefined): number {
  const clients = readClients(update, doc);
  const appliedOf = (client: number): number =>
    clients.get(client)?.applied ?? (doc ? Y.getState(doc.store, client) : 0);
  let waiting = 0;
  for (const structs of clients.values()) {
    if (structs.isBlocked) continue;
    // Each visit resolves a dependency of the visit before it.
    const visits: Visit[] = [{ structs, until: Infinity }];
    const visited = new Set([structs]);
    for (let visit = visits.at(-1); visit !== undefined; visit = visits.at(-1)) {
      const dependency = advance(visit, appliedOf);
      if (dependency === undefined) {
        visits.pop();
        visited.delete(visit.structs);
        continue;
      }
      const next = clients.get(dependency.client);
      const isMissing =
        !next || next.isBlocked || next.end <= dependency.clock || visited.has(next);
      if (!isMissing) {
        visits.push({ structs: next, until: dependency.clock });
        visited.add(next);
        continue;
      }
      for (const { structs: blocked } of visits.splice(0)) {
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
export function refuseWaiting(update: Uint8Array, doc?: Y.Doc, maxWork = defaultMaxWork): void {
  const clients = clientsIn(update);
  if (clients * clients <= maxWork) return;
  if (countWaiting(update, doc) * clients <= maxWork) return;
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
