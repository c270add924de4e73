import type { RoomCounts } from '../../wire/roomCounts.js';
import type { ChartSeries } from '../charts/chartSeries.js';
import type { Timeline, Values } from '../charts/timeline.js';
import { serverPrefix } from '../model/serverColumn.js';

/** The name of the total in a timeline, as in `GET /api/history`. */
export const total = 'connections';

/** As many servers get a line of their own. */
export const maxLines = 8;

/**
 * The numbers of a room for a timeline: the total, one for each server, and `complete`: 0 if some servers are not
 * counted, else 1. Without all servers, 0 says nothing. So a server that was there before has 0 now only if all are
 * counted.
 */
export function valuesOf(
  { connections, complete, servers }: RoomCounts,
  before: readonly string[],
): Values {
  if (connections === null || (connections === 0 && !complete)) return {};
  const gone = before.filter((name) => name.startsWith(serverPrefix));
  return Object.fromEntries([
    ...gone.map((name) => [name, complete ? 0 : null]),
    ...(servers ?? []).map((server) => [serverPrefix + server.id, server.connections]),
    [total, connections],
    ['complete', complete ? 1 : 0],
  ]);
}

/** The servers that ever had connections in the room, as far as it is known. */
export const serversIn = ({ names }: Timeline): string[] =>
  names
    .filter((name) => name.startsWith(serverPrefix))
    .map((name) => name.slice(serverPrefix.length));

/** How servers are called and colored. */
export type LookOf = (id: string) => { shortName: string; color: string };

/**
 * The lines of a room: its connections, and those of each server if there were several. Of many servers only those
 * with the most connections now have a line; `leftOut` counts the others.
 */
export function roomLines(
  past: Timeline,
  lookOf: LookOf,
): { series: ChartSeries[]; leftOut: number } {
  const newest = (name: string) => past.column(name).at(-1) ?? 0;
  const servers = past.names
    .filter((name) => name.startsWith(serverPrefix))
    .sort((one, other) => newest(other) - newest(one));
  const values = past.column(total);
  if (servers.length < 2)
    return { series: [{ label: total, color: 'var(--series-1)', values }], leftOut: 0 };
  const lines = servers.slice(0, maxLines).map((name) => {
    const { shortName, color } = lookOf(name.slice(serverPrefix.length));
    return { label: shortName, color, values: past.column(name) };
  });
  return {
    series: [{ label: 'all servers', color: 'var(--text-2)', values }, ...lines],
    leftOut: servers.length - lines.length,
  };
}
