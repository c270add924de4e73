import { expect, test } from '@jest/globals';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, startReal, untilTrue } from '../../support/fleet.js';
import { noResync, serversOf, untilShown, visits, watch } from '../../support/stage.js';
import { runService, type ServiceRun } from './support/serviceRun.js';
import { signIn } from './support/signIn.js';

const fleet = sharedFleet(1);
const calm = { ...noResync, PROBE_INTERVAL_MS: '500', REQUEST_TIMEOUT_MS: '6000' };
const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const token = 'a-token-of-viewers';

/** Offsets of the clock, as suspended machines, NTP and empty batteries cause them. */
const jumps = [6 * hourMs, -6 * hourMs, 400 * dayMs, -20_000 * dayMs, 0];

const start = (servers: readonly { id: string }[], env: Record<string, string> = {}) =>
  runService(servers, {
    env: { ...calm, ...env },
    imports: ['./preloadedClock.ts'],
  });

/** Sets the clock of a service ahead of the real one. Resolves with its new time. */
const setClock = (service: ServiceRun, aheadMs: number) =>
  service.ask<number>({ setClockMs: aheadMs });

const lastHeardMs = async (service: ServiceRun, id: string) =>
  Date.parse((await serversOf(service)).find((row) => row.id === id)?.lastHeardAt ?? '');

test('the clock jumps by hours and years: counting goes on, and no server was heard from in the future', async () => {
  const [server, victim] = [nth(fleet, 0), await startReal()];
  const service = await start([server, victim]);
  const viewer = await watch(service);
  await connectTo(server, 'r');
  await connectTo(victim, 'gone');
  await untilShown(viewer, { r: 1, gone: 1 });
  await victim.kill();
  await untilShown(viewer, { r: 1 });
  const begunMs = performance.now();
  for (const [i, aheadMs] of jumps.entries()) {
    const nowMs = await setClock(service, aheadMs);
    // The killed server was last heard from a moment ago, by any clock.
    const silentMs = nowMs - (await lastHeardMs(service, victim.id));
    if (aheadMs <= 0) expect(silentMs).toBeLessThan(10_000 + performance.now() - begunMs);
    expect(silentMs).toBeGreaterThanOrEqual(0);
    await eventually(async () =>
      expect(Math.abs((await lastHeardMs(service, server.id)) - nowMs)).toBeLessThan(20_000),
    );
    const leaver = await connectTo(server, `at-${i}`);
    await connectTo(server, 'r');
    await untilShown(viewer, { r: i + 2, [`at-${i}`]: 1 });
    await leaver.close();
    await untilTrue(viewer, [server]);
  }
  expect(viewer.isEnded()).toBe(false);
  expect(viewer.seen().servers[server.id]?.state).toBe('live');
});

test('the clock jumps: sessions expire by the clock, and their streams are not cut before', async () => {
  const service = await start(fleet, { DASHBOARD_TOKEN: token });
  const backMs = [0, 6 * hourMs, 40 * dayMs, 20_000 * dayMs];
  const sessions = await Promise.all(backMs.map(() => signIn(service, token)));
  const isValid = async () => {
    const { status } = await fetch(`${service.url}/api/state`, { headers: nth(sessions, 0) });
    return status === 200;
  };
  const streams: EventStream[] = [];
  for (const [i, ms] of backMs.entries()) {
    await setClock(service, -ms);
    expect(await isValid()).toBe(true);
    const stream = await openEventStream(service.url, { headers: nth(sessions, i) });
    streams.push(visits(stream, (it) => it.close()));
  }
  await setClock(service, 6 * hourMs);
  await connectTo(nth(fleet, 0), 'signed-in');
  await eventually(() => {
    for (const stream of streams) expect(stream.rooms()).toHaveProperty('signed-in', 1);
  });
  expect(await isValid()).toBe(true);
  await setClock(service, 8 * dayMs);
  expect(await isValid()).toBe(false);
  await setClock(service, 0);
  expect(await isValid()).toBe(true);
  expect(streams.map((stream) => stream.isEnded())).toEqual(streams.map(() => false));
});

test('the clock jumps: clients with too many wrong tokens wait a minute at most, and then sign in', async () => {
  const service = await start(fleet, { DASHBOARD_TOKEN: token });
  const attempt = (bearer: string) =>
    fetch(`${service.url}/api/state`, { headers: { Authorization: `Bearer ${bearer}` } });
  for (let i = 0; i < 10; i += 1) expect((await attempt('wrong')).status).toBe(401);
  for (const aheadMs of [0, -6 * hourMs, -20_000 * dayMs]) {
    await setClock(service, aheadMs);
    const refused = await attempt('wrong');
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
  }
  await setClock(service, 6 * hourMs);
  expect((await attempt(token)).status).toBe(200);
});
