/** The recent past at its limits, and beside it the bare numbers and events; in a process of its own. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerId } from '../../machines/ports.js';
import { Activity, maxEvents } from '../../server/activity/activity.js';
import { History, type HistorySource } from '../../server/history/history.js';
import { lengths } from '../../server/history/numberTracks.js';
import type { NotedEvent } from '../../server/wire/activityEvent.js';
import { HandClock } from '../support/handClock.js';
import { answerUsage, usage } from './usage.js';

export type PastKind = keyof typeof makers;

const servers = Array.from(
  { length: 1000 },
  (_, i) => `10.0.${i >> 8}.${i & 255}:8001` as ServerId,
);
const totals = new Map(Array.from({ length: 100_000 }, (_, i) => [`room ${i}`, i % 5000]));
const holders = servers.slice(0, 16).map((id) => ({ id, connections: 7 }));
const watched = Array.from({ length: 1000 }, (_, i) => `watched room ${i}`);
/** Many, because one activity is too small to be weighed. */
const activities = 50;

const source: HistorySource = {
  numbers: () => ({ connections: 1, rooms: 1, servers: 1000, live: 1000, complete: true }),
  sizes: () => servers.map((server) => ({ server, connections: 7, rooms: 7 })),
  totals: () => totals,
  counts: () => (room) => totals.get(room) ?? 0,
  watchedRooms: () => watched,
  partsOf: () => ({ servers: holders, complete: true }),
};

/** Does the same second after second. */
interface Ticking {
  tick(): Promise<void>;
}

/** A history of as many servers and rooms as it keeps. */
async function fullHistory(): Promise<Ticking> {
  const clock = new HandClock();
  const history = new History({ clock, source: () => source });
  history.touch();
  const tick = async () => {
    clock.advance(1000);
    // The busiest rooms are looked for in slices, every tenth second.
    for (let slice = 0; slice < 4; slice += 1) await nextTurn();
  };
  while (history.ofFleet(1).kept.rooms < 2000) await tick();
  if (history.ofFleet(1).kept.servers < servers.length) throw new Error('servers were left out');
  return { tick };
}

/** The same numbers in bare arrays, and the same walk over all rooms. */
async function bareNumbers(): Promise<Ticking> {
  const array = (length: number) => new Int32Array(length).fill(-1);
  const columns = (count: number) =>
    Array.from({ length: count }, () => [array(lengths[1]), array(lengths[30])]).flat();
  const all = [columns(5), ...servers.map(() => columns(2))];
  const rooms = Array.from({ length: 2000 }, () => array(120));
  let second = 0;
  const tick = async () => {
    second += 1;
    for (const server of all) for (const column of server) column[second % column.length] = second;
    let most = 0;
    if (second % 10 === 0) for (const [, count] of totals) most = Math.max(most, count);
    for (const room of rooms) room[second % room.length] = most;
    for (let slice = 0; slice < 4; slice += 1) await nextTurn();
  };
  return { tick };
}

const longEvent = (i: number): NotedEvent => ({
  kind: 'server.unreachable',
  level: 'warning',
  subject: { type: 'server', name: `10.0.0.${i}:8001` },
  message: `Pub-sub server ${i} does not answer; its connections are not counted. `.repeat(2),
  cause: `${i} `.repeat(100).slice(0, 300),
});

function fullActivities(): Activity[] {
  return Array.from({ length: activities }, () => {
    const activity = new Activity({ instance: 'http://10.0.0.5:8000' });
    // Twice as many as it keeps.
    for (let i = 0; i < 2 * maxEvents; i += 1) activity.note(longEvent(i));
    return activity;
  });
}

/** The same events, as they would be sent. */
const bareEvents = (): Buffer[] =>
  fullActivities().map((activity) => Buffer.from(JSON.stringify(activity.since())));

const makers = {
  history: fullHistory,
  numbers: bareNumbers,
  activities: async () => fullActivities(),
  events: async () => bareEvents(),
};

/** What one takes in memory, in MB. */
async function weigh(kind: PastKind): Promise<number> {
  const before = usage().heldMb;
  const made = await makers[kind]();
  const { heldMb } = usage();
  // Used here, so that it is not collected before.
  return made === undefined ? Number.NaN : heldMb - before;
}

/** Processor time of a second, in milliseconds. */
async function timeOf(kind: 'history' | 'numbers', ticks: number): Promise<number> {
  const { tick } = await makers[kind]();
  const { cpuMs } = usage();
  for (let i = 0; i < ticks; i += 1) await tick();
  return (usage().cpuMs - cpuMs) / ticks;
}

process.on('message', async (message: { type: string; kind: PastKind; ticks: number }) => {
  const { type, kind, ticks } = message;
  if (type === 'weigh') {
    const mb = (await weigh(kind)) / (kind === 'activities' || kind === 'events' ? activities : 1);
    process.send?.({ type, mb });
  }
  if (type === 'time' && (kind === 'history' || kind === 'numbers'))
    process.send?.({ type, ms: await timeOf(kind, ticks) });
});
answerUsage();
process.send?.({ type: 'listening' });
