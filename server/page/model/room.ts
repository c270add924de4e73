import { compareRooms } from '../stream/fleetState.js';
import { compareCodes, compareNatural } from './naturalOrder.js';
import { decodedName } from './roomNames.js';

/** A room in a list. */
export interface Room {
  readonly name: string;
  /** As of the last `settle` of the index, like the sum of all rooms. */
  connections: number;
  /** Whether the order by name contains it. */
  isNamed: boolean;
  /** The last search that checked it, and the result. */
  search: number;
  isMatch: boolean;
  /** Decoded. Created on demand, like `text`. */
  decoded?: string;
  /** Lower case: what is shown, and the raw name if it differs. */
  text?: string;
  /** What it adds to the counts by prefix, and to which ones. */
  counted?: { by: object; prefix: string; connections: number };
}

/** A room with 0 connections. The caller sets the number. */
export const newRoom = (name: string): Room => ({
  name,
  connections: 0,
  isNamed: false,
  search: 0,
  isMatch: false,
});

/** What a search looks at, in lower case. */
export function textOf(room: Room): string {
  room.text ??= searchedText(room.name, decodedOf(room));
  return room.text;
}

const searchedText = (name: string, decoded: string) =>
  (decoded === name ? name : `${decoded}\n${name}`).toLowerCase();

/** The decoded name. */
export function decodedOf(room: Room): string {
  room.decoded ??= decodedName(room.name);
  return room.decoded;
}

/** Most connections first, then by raw name. */
export const byRank = (a: Room, b: Room) =>
  compareRooms(a.connections, a.name, b.connections, b.name);

/** By the shown name, regardless of case, numbers by value. */
export const byName = (a: Room, b: Room) =>
  compareNatural(textOf(a), textOf(b)) || compareCodes(a.name, b.name);
