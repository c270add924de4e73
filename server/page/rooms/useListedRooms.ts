import { useEffect, useMemo } from 'preact/hooks';
import type { WatchedRoom } from '../../wire/watchedRoom.js';
import type { EmptyRoom } from '../model/emptyRooms.js';
import { roomIndex, roomsVersion, streamStatus } from '../model/fleet.js';
import type { Room } from '../model/roomIndex.js';
import type { RoomsOnServer } from '../model/serverRooms.js';
import { usePolled } from '../usePolled.js';
import { emptyRooms, readEmptyRooms } from './emptyRooms.js';
import { sortedByHere } from './hereOrder.js';
import type { ListSettings, Show } from './listSettings.js';
import { otherRooms } from './otherRooms.js';

/** What is listed, and what is said of each room beside its name. */
export interface ListedRooms {
  readonly rows: readonly Room[];
  /** Rooms before the first ones were cut off. */
  readonly matches: number;
  /** Connections of the matches, of the same moment. */
  readonly connections: number;
  /** Rooms that somebody watches; undefined: not asked, or not known yet. */
  readonly watched: number | undefined;
  readonly empty: ReadonlyMap<string, EmptyRoom>;
  /** The servers with a finding, by room. */
  readonly findings: ReadonlyMap<string, readonly string[]>;
}

/** Browsers limit the height of scrolled content. */
const maxRows = 400_000;
const maxLively = 5000;
const watchedMs = 3000;
const noRooms: ListedRooms['empty'] = new Map();
const noFindings: ListedRooms['findings'] = new Map();

/** The rooms of the list. `here`: those of the chosen server. */
export function useListedRooms(settings: ListSettings, here: RoomsOnServer): ListedRooms {
  const version = roomsVersion.value;
  const { show, isReversed, top } = settings;
  const { findings, watched } = useFindings(show);
  const empty = useEmptyRooms(show);
  const emptied = useEmptied(settings, empty, version);
  const matching = useMemo(() => {
    if (show === 'connected') return roomIndex.shown;
    return show === 'empty' ? emptied : otherRooms(findings.keys(), connectionsOf, settings);
  }, [version, settings, emptied, findings]);
  const inOrder = useHereOrder(matching, settings, here);
  // A search adds to the same list, so its length counts.
  return useMemo(
    () => ({
      rows: ordered(inOrder, isReversed, Math.min(top, maxRows)),
      matches: matching.length,
      connections: show === 'connected' ? roomIndex.shownConnections : sumOf(matching),
      watched,
      empty,
      findings,
    }),
    [inOrder, matching, matching.length, isReversed, top, version, watched],
  );
}

const connectionsOf = (name: string) => roomIndex.get(name)?.connections ?? 0;

const sumOf = (rooms: readonly Room[]) => rooms.reduce((sum, room) => sum + room.connections, 0);

/** Sorts by the connections on the chosen server. Very many only with each of its answers: it takes too long. */
function useHereOrder(rooms: readonly Room[], { order }: ListSettings, here: RoomsOnServer) {
  const isWanted = order === 'here' && here.size > 0;
  const isLively = rooms.length <= maxLively;
  return useMemo(
    () => (isWanted ? sortedByHere(rooms, here) : rooms),
    isWanted && !isLively ? [here, roomIndex.isSearching] : [isWanted, here, rooms, rooms.length],
  );
}

function ordered(rooms: readonly Room[], isReversed: boolean, count: number): readonly Room[] {
  const rows = isReversed ? [...rooms].reverse() : rooms;
  return rows.length > count ? rows.slice(0, count) : rows;
}

/** The watched rooms with a finding of this kind. */
function useFindings(show: Show) {
  const isWatched = show === 'diverged' || show === 'unreadable';
  const isAsked = isWatched && streamStatus.value.kind === 'live';
  const [{ value }] = usePolled<WatchedRoom[]>(isAsked ? 'api/watched' : undefined, watchedMs);
  const findings = useMemo((): ListedRooms['findings'] => {
    if (show !== 'diverged' && show !== 'unreadable') return noFindings;
    const found = (value ?? []).filter((each) => each[show].length > 0);
    return new Map(found.map((each) => [each.room, each[show]]));
  }, [value, show]);
  return { findings, watched: isWatched ? value?.length : undefined };
}

/** The rooms of the store without connections. */
function useEmptyRooms(show: Show): ListedRooms['empty'] {
  useEffect(() => {
    if (show === 'empty') readEmptyRooms();
  }, [show]);
  return show === 'empty' ? emptyRooms.value.rooms : noRooms;
}

/** These, and those that this page saw to become empty. None that has a connection by now. */
function useEmptied(settings: ListSettings, stored: ListedRooms['empty'], version: number): Room[] {
  const isEmpty = settings.show === 'empty';
  const emptiedVersion = isEmpty ? roomIndex.emptied.version : 0;
  const rooms = useMemo(
    () =>
      isEmpty
        ? otherRooms(new Set([...stored.keys(), ...roomIndex.emptied.names]), () => 0, settings)
        : [],
    [isEmpty, stored, emptiedVersion, settings],
  );
  return useMemo(
    () => rooms.filter(({ name }) => !roomIndex.get(name)),
    [rooms, isEmpty ? version : 0],
  );
}
