import { batch, computed, signal } from '@preact/signals';
import { noteSignedOut, session } from '../api.js';
import { Timeline, type TimePoint } from '../charts/timeline.js';
import { steadyNow } from '../steadyNow.js';
import type { FleetUpdate, RoomColumns, StreamStatus } from '../stream/messages.js';
import { HeldRooms } from './heldRooms.js';
import { compareNatural } from './naturalOrder.js';
import { RoomIndex } from './roomIndex.js';
import { serverFacts } from './serverFacts.js';
import { ServerList, type ServerRow } from './serverList.js';
import { type ServerNumbers, serverNumbers } from './serverNumbers.js';
import { type Facts, type FleetFacts, type Known, whatIsKnown } from './whatIsKnown.js';

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
/** Since when the rooms are held, because a restarted service asks its servers; null: they are not. */
const heldSinceMs = signal<number | null>(null);
const heldRooms = new HeldRooms();
/** When the stream was cut; undefined: what it has told since is shown. */
let cutAtMs: number | undefined;
/** How long a stream that was cut may take to tell the first news. It tells none if nothing happened meanwhile. */
const firstNewsMs = 1000;
/** The totals when they were last complete. No signal: it is needed only when the status has changed since. */
let lastComplete: Facts['lastComplete'];
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

/** The servers, including recently removed ones, by id: port 9 is before port 10. */
export const servers = computed(() => {
  serversVersion.value;
  return list.rows.sort((a, b) => compareNatural(a.id, b.id));
});

/** Numbers of servers are asked for every 2 s. These are missing for some reason. */
const staleMs = 10_000;

/** What the page may say of the numbers of a server. While those of the page are of the past, they are too. */
export function numbersOf({ id, ...row }: ServerRow): ServerNumbers {
  const outdatedMs = outdatedSinceMs.value ?? Number.POSITIVE_INFINITY;
  const toldAtMs = Math.min(list.toldAtMs(id), outdatedMs);
  const isHeard = streamStatus.value.kind === 'live' && outdatedSinceMs.value === null;
  // After a restart of the service, servers answer one by one.
  const isOfBefore = heldSinceMs.value !== null && list.isOfBeforeCut(id);
  const isNow = isHeard && !isOfBefore && steadyNow() - toldAtMs < staleMs;
  return serverNumbers(row, isNow ? null : toldAtMs);
}

/** Known servers whose counts are missing from the totals or out of date. */
export const missingServers = computed(() =>
  servers.value.filter(
    ({ state, overLimit }) => state !== 'gone' && (state !== 'live' || overLimit),
  ),
);

const fleetFacts = computed((): FleetFacts | undefined => {
  if (activation.value === undefined) return undefined;
  return {
    state: activation.value,
    complete: isComplete.value,
    reason: incompleteReason.value,
    outdatedSinceMs: outdatedSinceMs.value,
    totals: { connections: countedConnections.value, rooms: countedRooms.value },
    servers: serverFacts(servers.value),
    heldSinceMs: heldSinceMs.value,
  };
});

/** The status and the numbers that the page may show. */
export const known = computed(() =>
  whatIsKnown({
    stream: streamStatus.value,
    fleet: fleetFacts.value,
    lastComplete,
  }),
);

const countOf = (number: Known): number | null => (number.is === 'unknown' ? null : number.value);

/** Null: unknown. They may be partial, or of the past: `known` tells. */
export const connections = computed(() => countOf(known.value.connections));
export const roomCount = computed(() => countOf(known.value.rooms));

/** Whether the numbers on the page are current. */
export const isCurrent = computed(
  () =>
    streamStatus.value.kind === 'live' &&
    outdatedSinceMs.value === null &&
    heldSinceMs.value === null,
);

let isSettling = false;
let settledAtMs = Number.NEGATIVE_INFINITY;

/** Applies an update from the stream. Everything in it is seen at once. */
export const applyFleetUpdate = (update: FleetUpdate): void => batch(() => apply(update));

function apply({ kind, state, complete, reason, ageMs, servers = [], rooms }: FleetUpdate): void {
  const nowMs = steadyNow();
  noteComplete(nowMs);
  if (kind === 'snapshot' && isWithoutNumbers(state)) markGap(() => hold(nowMs));
  if (state !== undefined) activation.value = state;
  if (complete !== undefined) isComplete.value = complete;
  if (reason !== undefined) incompleteReason.value = reason;
  if (ageMs !== undefined) markGap(() => setAge(ageMs, nowMs));
  // A restarted service does not know all servers yet.
  const isWhole = heldSinceMs.value === null || activation.value === 'active';
  if (kind === 'snapshot') list.replace(servers, nowMs, { isWhole });
  else for (const server of servers) list.update(server, nowMs);
  if (kind === 'snapshot' || servers.length > 0) serversVersion.value += 1;
  if (rooms) applyRooms(kind, rooms);
  if (activation.value === 'active') release();
  // What tells that numbers are complete must not be seen before them.
  const isWithStatus = state !== undefined || complete !== undefined || servers.length > 0;
  if (kind === 'snapshot') showCounts();
  else if (isWithStatus) settle();
  else settleSoon();
  recordHistory();
}

/** Notes the totals before they change. */
function noteComplete(atMs: number): void {
  if (known.value.status.is !== 'complete') return;
  const [connections, rooms] = [countedConnections.value, countedRooms.value];
  lastComplete = { connections, rooms, atMs };
}

/** Whether this is the state of a service that has not asked its servers, although the page has numbers. */
const isWithoutNumbers = (state: string | undefined) =>
  state !== 'active' && cutAtMs !== undefined && roomIndex.size > 0;

function hold(nowMs: number): void {
  heldSinceMs.value ??= cutAtMs ?? nowMs;
}

/** After a cut, the numbers are those of before until the stream has told the first news. */
function awaitNews(): void {
  if (cutAtMs === undefined || activation.value === undefined) return;
  hold(cutAtMs);
  setTimeout(() => {
    if (activation.value !== 'active' || streamStatus.value.kind !== 'live') return;
    release();
    recordHistory();
  }, firstNewsMs);
}

function applyRooms(kind: FleetUpdate['kind'], rooms: RoomColumns): void {
  const target = heldSinceMs.value === null ? roomIndex : heldRooms;
  if (kind === 'snapshot') target.replace(rooms);
  else target.change(rooms);
}

/** The servers have answered or failed: shows what they said. */
function release(): void {
  cutAtMs = undefined;
  if (heldSinceMs.value === null) return;
  heldSinceMs.value = null;
  heldRooms.release(roomIndex);
  roomIndex.settle();
  showCounts();
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
    { isWhole: heldSinceMs.value === null },
  );
  list.removeExpired(steadyNow());
  serversVersion.value += 1;
}

/** Applies a status of the stream. Signed out leads to the sign-in form. */
export function applyStreamStatus(status: StreamStatus): void {
  if ('sinceMs' in status) noteComplete(status.sinceMs);
  if (status.kind === 'reconnecting') {
    cutAtMs = status.sinceMs;
    list.cut();
  }
  batch(() => {
    if (status.kind === 'live') awaitNews();
    markGap(() => {
      streamStatus.value = status;
    });
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

/** Makes a time of the history unknown: the service counted nothing then. */
export function blankHistory(fromMs: number, toMs: number): void {
  history.blank(fromMs, toMs);
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
