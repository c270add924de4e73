import { compareNatural } from '../model/naturalOrder.js';
import type { ServerRow } from '../model/serverList.js';
import { sortName } from './serverNames.js';
import { urgencyOf } from './serverState.js';

/** What the table of servers is sorted by. */
export type ServerColumn = 'id' | 'state' | 'heard' | 'rooms' | 'connections';

/** An order of the table. Not reversed: A to Z, the most urgent, the newest and the largest first. */
export interface ServerOrder {
  column: ServerColumn;
  isReversed: boolean;
}

/** Servers that need looking at come first, then names in natural order. */
export const usualOrder: ServerOrder = { column: 'state', isReversed: false };

const columns: readonly ServerColumn[] = ['id', 'state', 'heard', 'rooms', 'connections'];

/** Reads `?sort=connections` and, reversed, `?sort=-connections`. */
export function orderOf(text: string | null): ServerOrder {
  const isReversed = text?.startsWith('-') ?? false;
  const column = columns.find((name) => name === (isReversed ? text?.slice(1) : text));
  return column ? { column, isReversed } : usualOrder;
}

/** The text of an order for the address; undefined: it is the usual one. */
export const orderText = ({ column, isReversed }: ServerOrder): string | undefined =>
  column === usualOrder.column && !isReversed ? undefined : `${isReversed ? '-' : ''}${column}`;

/** Unknown numbers are less than 0. */
const sizes: Record<ServerColumn, (row: ServerRow) => number> = {
  id: () => 0,
  state: urgencyOf,
  heard: ({ lastHeardAt }) => -Date.parse(lastHeardAt ?? '') || 0,
  rooms: ({ rooms }) => -(rooms ?? -1),
  connections: ({ connections }) => -(connections ?? -1),
};

/** By name, with numbers by their value: `web-2` is before `web-10`. */
export const compareServers = (a: ServerRow, b: ServerRow): number =>
  compareNatural(sortName(a), sortName(b)) || compareNatural(a.id, b.id);

/** The servers in an order. Those that are equal in it stay by name. */
export function sortedServers(
  rows: readonly ServerRow[],
  { column, isReversed }: ServerOrder,
): ServerRow[] {
  const sign = isReversed ? -1 : 1;
  const nameSign = column === 'id' ? sign : 1;
  const size = sizes[column];
  return [...rows].sort((a, b) => sign * (size(a) - size(b)) || nameSign * compareServers(a, b));
}
