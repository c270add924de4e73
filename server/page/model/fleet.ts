import { computed, signal } from '@preact/signals';
import { session } from '../api.js';
import { steadyNow } from '../steadyNow.js';
import type { FleetNews, StreamStatus } from '../stream/messages.js';
import { History } from './history.js';
import { RoomIndex } from './roomIndex.js';
import { ServerBook } from './serverBook.js';

/** What the page knows of the fleet. Signals change when what they show does; the index and the history are read by reference. */

export const streamStatus = signal<StreamStatus>({ kind: 'connecting' });
/** State of the service; undefined: nothing has come yet. */
export const activation = signal<string | undefined>(undefined);
export const isComplete = signal(false);
const countedConnections = signal(0);
const countedRooms = signal(0);
/** Grows with every change of the servers. */
const serversVersion = signal(0);
/** Grows when the list of rooms has changed, at most every 250 ms. */
export const roomsVersion = signal(0);
/** Grows with every second that the history has. */
export const historyVersion = signal(0);

const settleMs = 250;

export const roomIndex = new RoomIndex(() => {
  roomsVersion.value += 1;
});
export const history = new History();
const book = new ServerBook();

/** The servers, those that were let go lately among them, by their ids. */
export const servers = computed(() => {
  serversVersion.value;
  return book.rows.sort((a, b) => (a.id < b.id ? -1 : 1));
});

/** Servers that are known and whose numbers are not in the totals, or not up to date. */
export const missingServers = computed(() =>
  servers.value.filter(
    ({ state, overLimit }) => state !== 'gone' && (state !== 'live' || overLimit),
  ),
);

/** Nothing counted is known to be nothing only when every server has reported in full. */
const haveAllReported = computed(() => {
  const present = servers.value.filter(({ state }) => state !== 'gone');
  const isAllIn = present.every((row) => row.connections !== null && !row.overLimit);
  // All are live, and yet not complete: there may be servers that nobody knows of.
  const isAnyUnknown = !isComplete.value && present.every(({ state }) => state === 'live');
  return present.length > 0 && isAllIn && !isAnyUnknown;
});
const known = (count: number) => (count > 0 || haveAllReported.value ? count : null);

/** Null: unknown. */
export const connections = computed(() => known(countedConnections.value));
export const roomCount = computed(() => known(countedRooms.value));

/** Whether the numbers on the page are those of now. */
export const isCurrent = computed(() => streamStatus.value.kind === 'live');

let isSettling = false;

/** Takes in what the stream says. */
export function takeNews({ kind, state, complete, servers = [], rooms }: FleetNews): void {
  const nowMs = steadyNow();
  if (state !== undefined) activation.value = state;
  if (complete !== undefined) isComplete.value = complete;
  if (kind === 'snapshot') book.replace(servers, nowMs);
  else for (const server of servers) book.note(server, nowMs);
  if (kind === 'snapshot' || servers.length > 0) serversVersion.value += 1;
  if (rooms && kind === 'snapshot') roomIndex.replace(rooms);
  else if (rooms) roomIndex.change(rooms);
  if (kind === 'snapshot') roomsVersion.value += 1;
  else settleSoon();
  countedConnections.value = roomIndex.connections;
  countedRooms.value = roomIndex.size;
  recordHistory();
}

function settleSoon(): void {
  if (isSettling) return;
  isSettling = true;
  setTimeout(settle, settleMs);
}

function settle(): void {
  isSettling = false;
  if (roomIndex.settle()) roomsVersion.value += 1;
}

/** Takes in all servers, as a poll gave them. */
export function takeServers(views: Parameters<ServerBook['replace']>[0]): void {
  book.replace(views, steadyNow());
  book.tidy(steadyNow());
  serversVersion.value += 1;
}

/** Notes how the stream is doing; whoever is signed out is asked for the token. */
export function takeStatus(status: StreamStatus): void {
  // The plot has a gap where nothing is known.
  if (isCurrent.value && status.kind !== 'live') history.record(steadyNow(), null, null);
  streamStatus.value = status;
  if (status.kind === 'signedOut') session.value = { required: true, signedIn: false };
  else if (status.kind === 'live' && session.value?.signedIn === false)
    session.value = { required: true, signedIn: true };
}

/** Notes the numbers of this second, if they are those of now. */
export function recordHistory(): void {
  if (!isCurrent.value || activation.value === undefined) return;
  history.record(steadyNow(), connections.value, roomCount.value);
  historyVersion.value += 1;
}
