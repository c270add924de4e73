import type { RoomCounts } from '../../wire/roomCounts.js';
import type { RoomStatus } from '../../wire/roomStatus.js';
import type { Known } from '../model/whatIsKnown.js';
import { countWord, formatNumber } from '../ui/numbers.js';
import { ago } from '../ui/time.js';
import type { Polled } from '../usePolled.js';

/** What is known of a room's connections. `isCurrent`: whether the totals of the page are of now. */
export function roomConnections(
  { value, failure, atMs }: Polled<readonly RoomCounts[]>,
  isCurrent: boolean,
): Known {
  const counts = value?.[0];
  if (!counts || counts.connections === null || atMs === undefined) return { is: 'unknown' };
  const { connections, complete } = counts;
  if (!isCurrent || failure) return { is: 'past', value: connections, atMs };
  if (complete) return { is: 'known', value: connections };
  // Without all servers, 0 says nothing.
  if (connections === 0) return { is: 'unknown' };
  return { is: 'partial', value: connections, bound: 'at least' };
}

/** `7 connections`, `at least 7 connections`, `7 connections, 12 s ago`, `connections unknown`. */
export function connectionsWord(number: Known, nowMs: number): string {
  if (number.is === 'unknown') return 'connections unknown';
  const word = countWord(number.value, 'connection');
  if (number.is === 'partial') return `${number.bound} ${word}`;
  return number.is === 'past' ? `${word}, ${ago(nowMs - number.atMs)}` : word;
}

/** How many people are listed of how many connections: `7`, `1 of 7 known so far`. */
export function peopleCount(listed: number, connections: Known): string {
  if (connections.is === 'unknown' || connections.is === 'past')
    return listed > 0 ? `${formatNumber(listed)} known` : '';
  if (connections.value > listed)
    return `${formatNumber(listed)} of ${formatNumber(connections.value)} known so far`;
  return listed > 0 ? formatNumber(listed) : '';
}

/** Whether servers count connections in a room, but none of them returns its document. */
export function isCountedOnly(status: RoomStatus | undefined, connections: Known): boolean {
  const isHeld = connections.is !== 'unknown' && connections.is !== 'past' && connections.value > 0;
  return isHeld && ['waiting', 'gone', 'unaskable'].includes(status?.state ?? '');
}
