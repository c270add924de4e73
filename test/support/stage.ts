/** Starts services, doubles and viewers for one test. When the test is over all of them end, services first. */

import { afterAll, afterEach, expect } from '@jest/globals';
import type { Service } from '../../server/service.js';
import type { Store } from '../../server/store/store.js';
import type { HeapClock } from '../unit/machines/heapClock.js';
import { emptyStore } from './emptyStore.js';
import { type EventStream, openEventStream } from './eventStream.js';
import { eventually } from './eventually.js';
import { type ScriptedServer, startScriptedServer } from './scriptedServer.js';
import { startTestService } from './service.js';

type End = () => unknown;
let ends: End[] = [];
const departures: End[] = [];
let services: Service[] = [];
let doubles: ScriptedServer[] = [];
const endings: Promise<unknown>[] = [];

/** Calls `end` when the test is over, after the services have stopped. */
export const owns = <T>(thing: T, end: (thing: T) => unknown): T => {
  ends.push(() => end(thing));
  return thing;
};

/** Calls `leave` when the test is over, before anything else ends and before the next test begins. */
export const visits = <T>(visitor: T, leave: (visitor: T) => unknown): T => {
  departures.push(() => leave(visitor));
  return visitor;
};

/** What no test may cause: requests that end a real pub-sub server, and services that failed. */
function harmOf(theirs: readonly ScriptedServer[], ours: readonly Service[]): string[] {
  const failed = ours.filter(({ instance }) => instance.getSnapshot().status === 'error');
  return [...theirs.flatMap(({ fatal }) => fatal), ...failed.map(({ url }) => `${url} failed`)];
}

async function end(after: End[], ours: Service[], theirs: ScriptedServer[]): Promise<void> {
  await Promise.all(ours.map((service) => service.stop()));
  for (const each of after.reverse()) await each();
  const harm = harmOf(theirs, []);
  await Promise.all(theirs.map((double) => double.stop()));
  expect(harm).toEqual([]);
}

// A service waits a second for idle connections of clients. The next test does not wait for that.
afterEach(async () => {
  // Everything else ends even if one of these fails. The failure is thrown below.
  const left = await Promise.allSettled(departures.splice(0).map(async (leave) => leave()));
  // A service waits for servers that it silences, so their faults must end first.
  for (const double of doubles) recover(double);
  const [after, ours, theirs] = [ends, services, doubles];
  [ends, services, doubles] = [[], [], []];
  const harm = harmOf(theirs, ours);
  const ending = end(after, ours, theirs);
  ending.catch(() => undefined);
  endings.push(ending);
  for (const departure of left) if (departure.status === 'rejected') throw departure.reason;
  expect(harm).toEqual([]);
});
afterAll(() => Promise.all(endings));

/** Resolves when the services of earlier tests have ended. Until then they may still silence their servers. */
export async function untilServicesEnded(): Promise<void> {
  await Promise.allSettled(endings);
}

/** Ends the faults of a double. */
export function recover(double: ScriptedServer): void {
  double.respond({ kind: 'normal' });
  double.respond({ kind: 'normal', to: 'health' });
  double.release();
}

/** A scripted pub-sub server. The test fails if it was sent what ends a real one. */
export async function startDouble(options?: { host?: string; port?: number }) {
  const double = await startScriptedServer(options);
  doubles.push(double);
  return double;
}

/**
 * Short intervals: what takes half a minute in production takes less than a second here. Not so the
 * timeout of requests: on a busy machine a server that is well may take seconds to answer.
 */
export const quick = {
  LINGER_MS: '50',
  REQUEST_TIMEOUT_MS: '5000',
  PROBE_INTERVAL_MS: '250',
  RESYNC_INTERVAL_MS: '1000',
  FRAME_INTERVAL_MS: '5',
};

/** Longer than any test: there is no resync. */
export const noResync = { RESYNC_INTERVAL_MS: '600000' };
/** For servers that hang: a request times out soon. */
export const impatient = { REQUEST_TIMEOUT_MS: '250' };
/** Longer than any test: no request times out. */
export const patient = { REQUEST_TIMEOUT_MS: '60000' };
/** Long intervals: nothing happens by the clock, and a busy server has time to answer. */
export const calm = { ...noResync, PROBE_INTERVAL_MS: '60000', REQUEST_TIMEOUT_MS: '20000' };

export interface StagingOptions {
  /** Does not wait until the servers are silent. */
  isHurried?: boolean;
  openStore?: () => Promise<Store>;
  /** The clock of the machines. With one that stands still nothing happens by time. */
  clock?: HeapClock;
}

/** A service that knows these servers. Resolves when they are silent, unless `isHurried`. */
export async function startStaged(
  servers: readonly { id: string }[],
  env: Record<string, string> = {},
  { isHurried = false, openStore = async () => emptyStore, clock }: StagingOptions = {},
): Promise<Service> {
  const ids = servers.map(({ id }) => id).join(',');
  const started = await startTestService(
    { ...quick, PUBSUB_SERVERS: ids, ...env },
    { openStore, ...(clock && { clock }) },
  );
  // Behind a relay `started.url` is the relay's.
  const service = env.PORT ? { ...started, url: `http://127.0.0.1:${env.PORT}` } : started;
  services.push(service);
  if (!isHurried) await untilState(service, 'inactive');
  return service;
}

/** Ends a service before the end of its test. */
export async function stopStaged(service: Service): Promise<void> {
  services = services.filter((it) => it !== service);
  await service.stop();
}

/** A viewer of `?stream=changes`, or of another path. */
export async function watch(
  service: { url: string },
  path = '/api/events?stream=changes',
): Promise<EventStream> {
  return visits(await openEventStream(service.url, { path }), (stream) => stream.close());
}

/** A viewer of the stream of whole maps, which old frontends open. */
export const watchMaps = (service: { url: string }) => watch(service, '/api/events');

export interface StateView {
  state: string;
  detail: string | null;
  viewers: number;
  servers: number;
  rooms: number | null;
  connections: number | null;
  complete: boolean;
}

export interface ServerRow {
  id: string;
  state: string;
  epoch: number | null;
  rooms: number | null;
  connections: number | null;
  lastHeardAt: string | null;
}

export async function getJson<T>(url: string): Promise<T> {
  // The service may close an idle connection at this moment. The second try opens a new one.
  const answer = await fetch(url).catch(() => fetch(url));
  return (await answer.json()) as T;
}

export const stateOf = (service: { url: string }) => getJson<StateView>(`${service.url}/api/state`);

export const serversOf = (service: { url: string }) =>
  getJson<ServerRow[]>(`${service.url}/api/servers`);

/** Resolves when the statechart is in this state: `inactive`, `watched`, `lingering`. */
export const untilState = (service: { url: string }, wanted: string): Promise<void> =>
  eventually(async () => {
    const { state, detail } = await stateOf(service);
    expect(detail ?? state).toBe(wanted);
  });

/** Resolves when a viewer sees exactly these rooms. */
export const untilShown = (viewer: EventStream, rooms: Record<string, number>): Promise<void> =>
  eventually(() => expect(viewer.rooms()).toEqual(rooms));

/** Resolves when a viewer of `?stream=changes` is told that a server is in this state. */
export const untilServer = (viewer: EventStream, id: string, state: string): Promise<void> =>
  eventually(() => expect(viewer.seen().servers[id]?.state).toBe(state));

/** The states of a server that a viewer of `?stream=changes` received, in order. */
export function statesSaid({ messages }: EventStream, server: string): string[] {
  const told = messages.flatMap(({ data }) => JSON.parse(data).servers ?? []);
  return told.filter(({ id }) => id === server).map(({ state }) => state);
}

/** The requests that told a double to be active or silent, in order. */
export const putsOf = ({ requests }: ScriptedServer) =>
  requests.filter(({ method }) => method === 'PUT');

/** What a double was told, in order. */
export function wishesOf(double: ScriptedServer): { active: boolean; eventsUrl: string }[] {
  return putsOf(double).map(({ body }) => JSON.parse(body));
}

export const activationsOf = (double: ScriptedServer) =>
  wishesOf(double).filter(({ active }) => active).length;

/** The rooms of doubles, summed: what viewers should be shown. */
export function truthOf(...servers: readonly ScriptedServer[]): Record<string, number> {
  const truth: Record<string, number> = {};
  for (const { rooms } of servers)
    for (const [room, count] of rooms) if (count > 0) truth[room] = (truth[room] ?? 0) + count;
  return truth;
}

/** Posts a body, as any client can. */
export const post = (url: string, body: string) =>
  fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });

/**
 * Resolves after this many probes of another service with these intervals. Whatever the service under test
 * does by time in as long has happened by then.
 */
export async function letProbesPass(probes: number, env: Record<string, string> = {}) {
  const bystander = await startDouble();
  const clock = await startStaged([bystander], { ...env, ...noResync });
  await watch(clock);
  const probed = () => bystander.requests.filter(({ path }) => path === '/health').length;
  await eventually(() => expect(probed()).toBeGreaterThanOrEqual(probes));
}
