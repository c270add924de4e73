import { useEffect, useRef } from 'preact/hooks';
import type { ServerRooms } from '../../wire/serverRooms.js';
import { roomIndex, roomsVersion } from '../model/fleet.js';
import { type RoomsOnServer, roomsOnServer, serverRoomsPath } from '../model/serverRooms.js';
import { usePolled } from '../usePolled.js';

/** What is known of the rooms of the chosen server. `unknown`: it has not reported, or is not there. */
export type ServerFilter = 'none' | 'asking' | 'known' | 'unknown' | 'failed';

const refreshMs = 5000;
const noRooms: RoomsOnServer = new Map();

/** Narrows the index to the rooms of one server, and refreshes them while the page is visible. */
export function useServerFilter(server: string): ServerFilter {
  const [{ value, failure }] = usePolled<ServerRooms>(
    server === '' ? undefined : serverRoomsPath(server),
    refreshMs,
  );
  const before = useRef<RoomsOnServer | undefined>(undefined);
  // The last answer may be that of another server.
  const answer = value?.server === server ? value : undefined;
  useEffect(() => {
    before.current = server === '' ? undefined : noRooms;
    roomIndex.filter({ only: before.current });
    return () => roomIndex.filter({ only: undefined });
  }, [server]);
  useEffect(() => {
    if (server === '' || !answer) return;
    const rooms = roomsOnServer(answer) ?? noRooms;
    const isFirst = before.current === noRooms;
    if (isFirst) roomIndex.filter({ only: rooms });
    else roomIndex.refresh(rooms, before.current ?? noRooms);
    before.current = rooms;
    roomsVersion.value += 1;
  }, [server, answer]);
  if (server === '') return 'none';
  if (answer) return answer.rooms === null ? 'unknown' : 'known';
  return failure ? 'failed' : 'asking';
}
