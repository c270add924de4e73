import type { RoomOrder } from '../model/roomIndex.js';

/** What the list is sorted by. `here`: connections on the chosen server. */
export type ListOrder = RoomOrder | 'here';

/** Which rooms are listed. */
export type Show = 'connected' | 'empty' | 'diverged' | 'unreadable';

/** How the list of rooms is narrowed and sorted, as the address has it. */
export interface ListSettings {
  readonly query: string;
  readonly prefix: string;
  /** The id of the only server; empty: all. */
  readonly server: string;
  readonly show: Show;
  readonly order: ListOrder;
  /** False: the way that one wants first, most connections or A to Z. */
  readonly isReversed: boolean;
  /** Only so many rows; infinity: all. */
  readonly top: number;
}

const shows: readonly Show[] = ['connected', 'empty', 'diverged', 'unreadable'];

/** Reads the query of the address. People also type addresses: what makes no sense is the default. */
export function readSettings(query: URLSearchParams): ListSettings {
  const text = (name: string) => query.get(name) ?? '';
  const show = shows.find((each) => each === text('show')) ?? 'connected';
  const server = show === 'connected' ? text('server') : '';
  const top = Number(text('top'));
  return {
    query: text('q'),
    prefix: text('prefix'),
    server,
    show,
    order: show === 'empty' ? 'name' : orderOf(text('sort'), server),
    isReversed: text('dir') === 'reverse',
    top: Number.isInteger(top) && top > 0 ? top : Number.POSITIVE_INFINITY,
  };
}

function orderOf(sort: string, server: string): ListOrder {
  if (sort === 'here' && server !== '') return 'here';
  return sort === 'name' ? 'name' : 'connections';
}

/** Parts of the query for changed settings; undefined removes one. The list begins at its top again. */
export function writeSettings(changes: Partial<ListSettings>): Record<string, string | undefined> {
  const { query, prefix, server, show, order, isReversed, top } = changes;
  return {
    ...(query !== undefined && { q: query }),
    ...(prefix !== undefined && { prefix }),
    ...(server !== undefined && { server }),
    ...(show !== undefined && { show: show === 'connected' ? undefined : show }),
    ...(order !== undefined && { sort: order === 'connections' ? undefined : order }),
    ...(isReversed !== undefined && { dir: isReversed ? 'reverse' : undefined }),
    ...(top !== undefined && { top: Number.isFinite(top) ? String(top) : undefined }),
    at: undefined,
  };
}

/** Whether rooms may be missing from the list because of its settings. */
export const isNarrowed = ({ query, prefix, server }: ListSettings) =>
  query !== '' || prefix !== '' || server !== '';

/** The settings that list the rooms of a server, those with the most connections on it first; empty: of all servers. */
export const onServer = (server: string): Partial<ListSettings> => ({
  server,
  order: server === '' ? 'connections' : 'here',
  isReversed: false,
});

/** The settings after a click on the head of a column. */
export function sortedBy(
  settings: ListSettings,
  order: ListOrder,
): Pick<ListSettings, 'order' | 'isReversed'> {
  return { order, isReversed: settings.order === order && !settings.isReversed };
}

/** For `aria-sort`. Connections begin with the most, names with A. */
export function direction({ order, isReversed }: ListSettings): 'ascending' | 'descending' {
  return (order === 'name') !== isReversed ? 'ascending' : 'descending';
}
