/** What the tests of promises start: each thing is ended when its test is over, services first. */

import { afterAll, afterEach, expect } from '@jest/globals';
import type { Service } from '../../server/service.js';
import type { Store } from '../../server/store/store.js';
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

/** Ends a thing when the test is over, after the services. */
export const owns = <T>(thing: T, end: (thing: T) => unknown): T => {
  ends.push(() => end(thing));
  return thing;
};

/** Has whoever visits a server leave at the end of the test, before anything else ends and the next begins. */
export const visits = <T>(visitor: T, leave: (visitor: T) => unknown): T => {
  departures.push(() => leave(visitor));
  return visitor;
};

/** What no test may bring about: what ends a real pub-sub server, or this service. */
function harmOf(theirs: readonly ScriptedServer[], ours: readonly Service[]): string[] {
  const failed = ours.filter(({ actor }) => actor.getSnapshot().status === 'error');
  return [...theirs.flatMap(({ fatal }) => fatal), ...failed.map(({ url }) => `${url} failed`)];
}

async function end(after: End[], ours: Service[], theirs: ScriptedServer[]): Promise<void> {
  await Promise.all(ours.map((service) => service.stop()));
  for (const each of after.reverse()) await each();
  const harm = harmOf(theirs, []);
  await Promise.all(theirs.map((double) => double.stop()));
  expect(harm).toEqual([]);
}

// A service waits a second for the spare connections of clients: the next test need not.
afterEach(async () => {
  // A departure that fails is told of at the end: everything else is to end all the same.
  const left = await Promise.allSettled(departures.splice(0).map(async (leave) => leave()));
  // It waits for those that it has to silence, too: none of them may be at fault any longer.
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

/** Ends the faults of a double. */
export function recover(double: ScriptedServer): void {
  double.respond({ kind: 'normal' });
  double.respond({ kind: 'normal', to: 'health' });
  double.release();
}

/** A scripted pub-sub server; at the end of the test nothing may have happened that ends a real one. */
export async function startDouble(options?: { host?: string; port?: number }) {
  const double = await startScriptedServer(options);
  doubles.push(double);
  return double;
}

/** Quick times: what takes half a minute in the field takes less than a second here. */
export const quick = {
  LINGER_MS: '50',
  REQUEST_TIMEOUT_MS: '250',
  PROBE_INTERVAL_MS: '250',
  RESYNC_INTERVAL_MS: '1000',
  FRAME_INTERVAL_MS: '5',
};

/** No resync comes in the time of a test. */
export const noResync = { RESYNC_INTERVAL_MS: '600000' };
/** No request times out in the time of a test. */
export const patient = { REQUEST_TIMEOUT_MS: '60000' };

export interface StagingOptions {
  /** Does not wait until the servers are silent. */
  isHurried?: boolean;
  openStore?: () => Promise<Store>;
}

/** A service that knows these servers, when it has told them to be silent (unless `isHurried`). */
export async function startStaged(
  servers: readonly { id: string }[],
  env: Record<string, string> = {},
  { isHurried = false, openStore = async () => emptyStore }: StagingOptions = {},
): Promise<Service> {
  const ids = servers.map(({ id }) => id).join(',');
  const started = await startTestService({ ...quick, PUBSUB_SERVERS: ids, ...env }, { openStore });
  // With a relay, its own `url` is where servers are to post to.
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

/** A viewer of `?stream=changes`, or of another stream. */
export async function watch(
  service: { url: string },
  path = '/api/events?stream=changes',
): Promise<EventStream> {
  return visits(await openEventStream(service.url, { path }), (stream) => stream.close());
}

/** A viewer of the whole maps, as old frontends open it. */
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
  // A kept connection that the service closed just then is no answer: the second one is new.
  const answer = await fetch(url).catch(() => fetch(url));
  return (await answer.json()) as T;
}

export const stateOf = (service: { url: string }) => getJson<StateView>(`${service.url}/api/state`);

export const serversOf = (service: { url: string }) =>
  getJson<ServerRow[]>(`${service.url}/api/servers`);

/** Resolves when the statechart is in this state: `inactive`, `watched`, `lingering`. */
export async function untilState(service: { url: string }, wanted: string): Promise<void> {
  await eventually(
    async () => {
      const { state, detail } = await stateOf(service);
      expect(detail ?? state).toBe(wanted);
    },
    { withinMs: 10_000 },
  );
}

/** Resolves when a viewer sees exactly these rooms. */
export async function untilShown(
  viewer: EventStream,
  rooms: Record<string, number>,
  withinMs = 8000,
): Promise<void> {
  await eventually(() => expect(viewer.rooms()).toEqual(rooms), { withinMs });
}

/** The states that a viewer of `?stream=changes` was told of a server, in order. */
export function statesSaid({ messages }: EventStream, server: string): string[] {
  const told = messages.flatMap(({ data }) => JSON.parse(data).servers ?? []);
  return told.filter(({ id }) => id === server).map(({ state }) => state);
}

/** The requests by which a double was told what is wished of it, in order. */
export const putsOf = ({ requests }: ScriptedServer) =>
  requests.filter(({ method }) => method === 'PUT');

/** What a double was told, in order. */
export function wishesOf(double: ScriptedServer): { active: boolean; eventsUrl: string }[] {
  return putsOf(double).map(({ body }) => JSON.parse(body));
}

export const activationsOf = (double: ScriptedServer) =>
  wishesOf(double).filter(({ active }) => active).length;

/** The rooms of doubles, summed: the truth. */
export function truthOf(...servers: readonly ScriptedServer[]): Record<string, number> {
  const truth: Record<string, number> = {};
  for (const { rooms } of servers)
    for (const [room, count] of rooms) if (count > 0) truth[room] = (truth[room] ?? 0) + count;
  return truth;
}

/** Posts a body as anybody can. */
export const post = (url: string, body: string) =>
  fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });

/**
 * Resolves when this many probes have gone out with the times of a service: what would have happened
 * by the clock of a service meanwhile has happened. A service and a server of its own, so that the
 * ones under test are not stirred.
 */
export async function letProbesPass(probes: number, env: Record<string, string> = {}) {
  const bystander = await startDouble();
  const clock = await startStaged([bystander], { ...env, ...noResync });
  await watch(clock);
  const probed = () => bystander.requests.filter(({ path }) => path === '/health').length;
  await eventually(() => expect(probed()).toBeGreaterThanOrEqual(probes), { withinMs: 15_000 });
}
