import { batch, computed, signal } from '@preact/signals';
import { noteSignedOut, session } from '../api.js';
import { Timeline, type TimePoint } from '../charts/timeline.js';
import { steadyNow } from '../steadyNow.js';
import type { FleetUpdate, StreamStatus } from '../stream/messages.js';
import { RoomIndex } from './roomIndex.js';
import { ServerList } from './serverList.js';

/** The state of the fleet. The index and the history are mutable: read them after a version signal. */

export const streamStatus = signal<StreamStatus>({ kind: 'connecting' });
/** State of the service; undefined until the first data arrives. */
export const activation = signal<string | undefined>(undefined);
export const isComplete = signal(false);
/** Why the numbers are not complete; null: they are, or it is not known. */
export const incompleteReason = signal<string | null>(null);
/** Whether the instance of this page has no current numbers of a leader. */
export const isLeaderLost = computed(
  () => incompleteReason.value === 'no_leader' || incompleteReason.value === 'leader_lost',
);
/** Since when the instance has not heard from its leader, by `steadyNow()`; null: it does. */
export const outdatedSinceMs = signal<number | null>(null);
const countedConnections = signal(0);
const countedRooms = signal(0);
/** Grows with every change of the servers. */
const serversVersion = signal(0);
/** Grows when the list of rooms has changed, at most every 250 ms. */
export const roomsVersion = signal(0);
/** Grows when the history has changed, at most every 500 ms. */
export const historyVersion = signal(0);

const settleMs = 250;

export const roomIndex = new RoomIndex(() => {
  roomsVersion.value += 1;
});
/** `connections` and `rooms` over time, and `complete`: 1 if they included every server, else 0. */
export const history = new Timeline();
const list = new ServerList();

/** The servers, including recently removed ones, sorted by id. */
export const servers = computed(() => {
  serversVersion.value;
  return list.rows.sort((a, b) => (a.id < b.id ? -1 : 1));
});

/** Known servers whose counts are missing from the totals or out of date. */
export const missingServers = computed(() =>
  servers.value.filter(
    ({ state, overLimit }) => state !== 'gone' && (state !== 'live' || overLimit),
  ),
);

/** A total of 0 is certain only when every server has reported in full. */
const haveAllReported = computed(() => {
  const present = servers.value.filter(({ state }) => state !== 'gone');
  const isAllIn = present.every((row) => row.connections !== null && !row.overLimit);
  // All are live and the totals still incomplete: there may be unknown servers.
  const isAnyUnknown = !isComplete.value && present.every(({ state }) => state === 'live');
  return present.length > 0 && isAllIn && !isAnyUnknown;
});
const known = (count: number) => (count > 0 || haveAllReported.value ? count : null);

/** Null: unknown. */
export const connections = computed(() => known(countedConnections.value));
export const roomCount = computed(() => known(countedRooms.value));

/** Whether the numbers on the page are current. */
export const isCurrent = computed(
  () => streamStatus.value.kind === 'live' && outdatedSinceMs.value === null,
);

let isSettling = false;
let settledAtMs = Number.NEGATIVE_INFINITY;

/** Applies an update from the stream. */
export function applyFleetUpdate({
  kind,
  state,
  complete,
  reason,
  ageMs,
  servers = [],
  rooms,
}: FleetUpdate): void {
  const nowMs = steadyNow();
  if (state !== undefined) activation.value = state;
  if (complete !== undefined) isComplete.value = complete;
  if (reason !== undefined) incompleteReason.value = reason;
  if (ageMs !== undefined) markGap(() => setAge(ageMs, nowMs));
  if (kind === 'snapshot') list.replace(servers, nowMs);
  else for (const server of servers) list.update(server, nowMs);
  if (kind === 'snapshot' || servers.length > 0) serversVersion.value += 1;
  if (rooms && kind === 'snapshot') roomIndex.replace(rooms);
  else if (rooms) roomIndex.change(rooms);
  // What tells that numbers are complete must not be seen before them.
  const isWithStatus = state !== undefined || complete !== undefined || servers.length > 0;
  if (kind === 'snapshot') showCounts();
  else if (isWithStatus) settle();
  else settleSoon();
  recordHistory();
}

function setAge(ageMs: number | null, nowMs: number): void {
  outdatedSinceMs.value = ageMs === null ? null : nowMs - ageMs;
}

/** Begins a gap in the history, from when the numbers were last known. */
function markGap(change: () => void): void {
  const wasCurrent = isCurrent.value;
  change();
  if (!wasCurrent || isCurrent.value) return;
  history.cut(unknownSinceMs());
  noteHistory();
}

/** Since when the numbers have not been current, by `steadyNow()`, while they are not. */
export function unknownSinceMs(): number {
  const status = streamStatus.value;
  return 'sinceMs' in status ? status.sinceMs : (outdatedSinceMs.value ?? steadyNow());
}

/** At once if nothing changed for a while, else later, so that numbers change calmly. */
function settleSoon(): void {
  if (isSettling) return;
  const waitMs = settledAtMs + settleMs - performance.now();
  isSettling = true;
  if (waitMs > 0) setTimeout(settle, waitMs);
  else settle();
}

function settle(): void {
  isSettling = false;
  settledAtMs = performance.now();
  if (!roomIndex.settle()) return;
  showCounts();
  recordHistory();
}

/** The rows and the totals are of the same moment. */
function showCounts(): void {
  batch(() => {
    roomsVersion.value += 1;
    countedConnections.value = roomIndex.connections;
    countedRooms.value = roomIndex.size;
  });
}

/** Applies the complete list of servers from a poll. */
export function applyServers(views: Parameters<ServerList['replace']>[0]): void {
  // A poll has everything: what is not in it is not told.
  list.replace(
    views.map((view) => ({ agent: undefined, ...view })),
    steadyNow(),
  );
  list.removeExpired(steadyNow());
  serversVersion.value += 1;
}

/** Applies a status of the stream. Signed out leads to the sign-in form. */
export function applyStreamStatus(status: StreamStatus): void {
  markGap(() => {
    streamStatus.value = status;
  });
  if (status.kind === 'signedOut') noteSignedOut();
  else if (status.kind === 'live' && session.value?.signedIn === false)
    session.value = { ...session.value, signedIn: true };
}

/** Adds points of the past to the history. */
export function fillHistory(points: readonly TimePoint[]): void {
  history.fill(points);
  noteHistory();
}

/** Adds the current numbers to the history. */
export function recordHistory(): void {
  if (!isCurrent.value || activation.value === undefined) return;
  const numbers = { connections: connections.value, rooms: roomCount.value };
  const isKnown = numbers.connections !== null;
  history.record(steadyNow(), isKnown ? { ...numbers, complete: isComplete.value ? 1 : 0 } : {});
  noteHistory();
}

const noteMs = 500;
let isNoting = false;

/** Charts are not drawn with every change: there may be hundreds a second. */
function noteHistory(): void {
  if (isNoting) return;
  isNoting = true;
  setTimeout(() => {
    isNoting = false;
    historyVersion.value += 1;
  }, noteMs);
}
