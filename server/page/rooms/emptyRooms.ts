import { signal } from '@preact/signals';
import { ApiFailure, request } from '../api.js';
import { type EmptyRooms, nextPage, type RoomSummary, withPage } from '../model/emptyRooms.js';

/** The same, and how reading goes on. */
interface Reading extends EmptyRooms {
  readonly isReading: boolean;
  readonly failure: ApiFailure | undefined;
}

const firstPage = 'limit=1000';
/** Pages read without being asked: each costs reads of the metadata store. */
const pagesAtOnce = 5;

const nothing: Reading = {
  rooms: new Map(),
  read: 0,
  unknown: 0,
  isReading: false,
  next: firstPage,
  failure: undefined,
};

export const emptyRooms = signal<Reading>(nothing);
let reading = 0;

/** Reads from the beginning. */
export function readEmptyRooms(): void {
  emptyRooms.value = nothing;
  void readMore();
}

/** Reads some more pages. */
export async function readMore(): Promise<void> {
  reading += 1;
  const own = reading;
  emptyRooms.value = { ...emptyRooms.value, isReading: true, failure: undefined };
  for (let page = 0; page < pagesAtOnce && emptyRooms.value.next !== undefined; page += 1) {
    const after = await withNextPage(emptyRooms.value);
    // Somebody began anew.
    if (own !== reading) return;
    emptyRooms.value = after;
    if (after.failure) break;
  }
  emptyRooms.value = { ...emptyRooms.value, isReading: false };
}

async function withNextPage(before: Reading): Promise<Reading> {
  try {
    const response = await request(`api/rooms?${before.next}`);
    return withPage(
      before,
      (await response.json()) as RoomSummary[],
      nextPage(response.headers.get('Link')),
    );
  } catch (error) {
    if (error instanceof ApiFailure) return { ...before, failure: error };
    throw error;
  }
}
