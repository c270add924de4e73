import { decodedOf, type Room, textOf } from './room.js';

/** What a list of rooms is narrowed to. */
export interface RoomFilter {
  /** Part of the shown or raw name, in any case. */
  readonly query: string;
  /** Beginning of the shown name. */
  readonly prefix: string;
  /** The raw names of the only rooms to list, such as those of one server; undefined: all. */
  readonly only: { has(name: string): boolean } | undefined;
}

export const noFilter: RoomFilter = { query: '', prefix: '', only: undefined };

/** Whether every room passes. */
export const isEverything = ({ query, prefix, only }: RoomFilter) =>
  query === '' && prefix === '' && only === undefined;

/** Whether a room passes. `query` must be in lower case. */
export function passes(room: Room, { query, prefix, only }: RoomFilter): boolean {
  if (only && !only.has(room.name)) return false;
  if (prefix !== '' && !decodedOf(room).startsWith(prefix)) return false;
  return query === '' || textOf(room).includes(query);
}
