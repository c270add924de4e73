import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ServerRooms } from '../../wire/serverRooms.js';
import { isCurrent, roomIndex, roomsVersion } from '../model/fleet.js';
import { type RoomsOnServer, roomsOnServer, serverRoomsPath } from '../model/serverRooms.js';
import { usePolled } from '../usePolled.js';

/** What is known of the rooms of the chosen server. `unknown`: it has not reported, or is not there. */
export type ServerFilter = 'none' | 'asking' | 'known' | 'unknown' | 'failed';

const refreshMs = 5000;
const noRooms: RoomsOnServer = new Map();

/** The chosen server. */
export interface ChosenServer {
  readonly filter: ServerFilter;
  /** Its rooms, by its last answer. */
  readonly here: RoomsOnServer;
}

/** Narrows the index to the rooms of one server, and refreshes them while the page is visible. */
export function useServerFilter(server: string): ChosenServer {
  const [{ value, failure }] = usePolled<ServerRooms>(
    server === '' || !isCurrent.value ? undefined : serverRoomsPath(server),
    refreshMs,
  );
  const before = useRef<RoomsOnServer | undefined>(undefined);
  // The last answer may be that of another server.
  const answer = value?.server === server ? value : undefined;
  const here = useMemo(() => (answer && roomsOnServer(answer)) ?? noRooms, [answer]);
  useEffect(() => {
    before.current = server === '' ? undefined : noRooms;
    roomIndex.filter({ only: before.current });
    return () => roomIndex.filter({ only: undefined });
  }, [server]);
  useEffect(() => {
    if (server === '' || !answer) return;
    const isFirst = before.current === noRooms;
    if (isFirst) roomIndex.filter({ only: here });
    else roomIndex.refresh(here, before.current ?? noRooms);
    before.current = here;
    roomsVersion.value += 1;
  }, [server, answer]);
  return { filter: filterOf(server, answer, failure !== undefined), here };
}

function filterOf(
  server: string,
  answer: ServerRooms | undefined,
  isFailing: boolean,
): ServerFilter {
  if (server === '') return 'none';
  if (answer) return answer.rooms === null ? 'unknown' : 'known';
  return isFailing ? 'failed' : 'asking';
}
