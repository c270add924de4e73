/** The part of an `Awareness` of y-protocols that an encoder reads. */
export interface AwarenessStates {
  readonly states: ReadonlyMap<number, unknown>;
  readonly meta: ReadonlyMap<number, { readonly clock: number }>;
}

/** The clients of an `update` or `change` event of an `Awareness`. */
export interface AwarenessChange {
  readonly added: readonly number[];
  readonly updated: readonly number[];
  readonly removed: readonly number[];
}

/** All clients that an event names. */
export const changedClients = ({ added, updated, removed }: AwarenessChange): number[] => [
  ...added,
  ...updated,
  ...removed,
];

/**
 * These clients as an awareness update, in the format of y-protocols: their number, and for each
 * its id, its clock and its state as JSON (`null`: the client has left). Default: all clients that
 * have a state. Leaves out clients that the `Awareness` does not know. Undefined if none is left.
 */
export function encodeAwareness(
  { states, meta }: AwarenessStates,
  clients: Iterable<number> = states.keys(),
): Uint8Array | undefined {
  const known = [...clients].filter((client) => meta.has(client));
  if (known.length === 0) return undefined;
  const parts = known.flatMap((client) => {
    const state = Buffer.from(JSON.stringify(states.get(client) ?? null));
    const clock = meta.get(client)?.clock ?? 0;
    return [varUint(client), varUint(clock), varUint(state.length), state];
  });
  return Buffer.concat([varUint(known.length), ...parts]);
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. Up to 2^53 - 1. */
function varUint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
