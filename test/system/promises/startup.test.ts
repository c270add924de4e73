import { describe, expect, test } from '@jest/globals';
import type { AnyActorRef } from 'xstate';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, startReal } from '../../support/fleet.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  activationsOf,
  noResync,
  recover,
  serversOf,
  startDouble,
  startStaged,
  untilShown,
  untilState,
  watch,
} from '../../support/stage.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

/** Resolves when no request to this server is under way. */
const untilResting = ({ activation: actor }: Service, { id }: ScriptedServer) =>
  eventually(() => {
    const { children } = actor.getSnapshot() as { children: Record<string, AnyActorRef> };
    expect(children[`server:${id}`]?.getSnapshot().value.request).toBe('resting');
  });

const slowProbes = { ...noResync, PROBE_INTERVAL_MS: '60000' };

describe('a start-up answer that is applied very late', () => {
  test('after the snapshot and its confirmation: the first delta reveals it', async () => {
    const double = await startDouble();
    const service = await startStaged([double], slowProbes);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    const puts = activationsOf(double);
    const confirmed = eventually(() => expect(activationsOf(double)).toBe(puts + 2));
    await double.askAtStartup(service.url, { appliedAfter: confirmed });
    await double.open('r');
    await untilShown(viewer, { r: 1 });
    await double.open('r');
    await untilShown(viewer, { r: 2 });
  });

  test('after the server was told to be silent: its first delta has it told again', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...slowProbes, LINGER_MS: '0' });
    const viewer = await watch(service);
    await untilState(service, 'watched');
    const silenced = untilState(service, 'inactive');
    const asked = double.askAtStartup(service.url, { appliedAfter: silenced });
    await eventually(() => expect(activationsOf(double)).toBeGreaterThanOrEqual(2));
    await viewer.close();
    await asked;
    expect(double.active).toBe(true);
    expect(await double.open('r')).toEqual({ status: 204 });
    await eventually(() => expect(double.active).toBe(false));
    const next = await watch(service);
    await untilShown(next, { r: 1 });
  });
});

describe('a start-up query', () => {
  test('from a server that waits for its next retry has it asked at once', async () => {
    const double = await startDouble();
    const clock = new HeapClock();
    const service = await startStaged([double], noResync, { clock });
    double.respond({ kind: 'reset' });
    double.respond({ kind: 'reset', to: 'health' });
    const viewer = await watch(service);
    // After four failures the next retry is 1.5 s away or more.
    await eventually(() => {
      if (activationsOf(double) < 4) clock.advance(10);
      expect(activationsOf(double)).toBe(4);
    });
    recover(double);
    await double.open('r');
    await double.askAtStartup(service.url);
    // The request follows the answer 50 ms later, to arrive after it.
    clock.advance(100);
    await untilShown(viewer, { r: 1 });
  });

  test('without a viewer makes the server known for the next viewer', async () => {
    const service = await startStaged([], noResync);
    const found = await startReal({ dashboardUrl: service.url });
    await connectTo(found, 'r');
    await eventually(async () =>
      expect(await serversOf(service)).toMatchObject([{ id: found.id, state: 'silent' }]),
    );
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    expect((await serversOf(service)).map(({ id }) => id)).toEqual([found.id]);
  });

  test('in the name of a server that never answers is forgotten after three failures', async () => {
    const double = await startDouble();
    double.respond({ kind: 'hang' });
    // It is unreachable before the second failure, which must not reset the number of failures.
    const env = { ...noResync, REQUEST_TIMEOUT_MS: '400', PROBE_INTERVAL_MS: '50' };
    const service = await startStaged([], env);
    await watch(service);
    await double.askAtStartup(service.url, { port: double.port });
    const candidates = () => service.activation.getSnapshot().context.roster.candidates;
    expect(candidates()).toBe(1);
    await eventually(() => expect(candidates()).toBe(0));
    expect(activationsOf(double)).toBe(3);
  });

  test('from a server that is known by its host name does not count it twice', async () => {
    const double = await startDouble();
    const id = `localhost:${double.port}`;
    const service = await startStaged([{ id }], slowProbes);
    const viewer = await watch(service);
    await double.open('r');
    await untilShown(viewer, { r: 1 });
    double.restart();
    await double.open('back');
    await double.askAtStartup(service.url, { port: double.port });
    await untilShown(viewer, { back: 1 });
    await double.open('back');
    await untilShown(viewer, { back: 2 });
    expect((await serversOf(service)).map((server) => server.id)).toEqual([id]);
  });

  test('through a proxy has every server asked, and drops no counts', async () => {
    const [double, other] = [await startDouble(), await startDouble()];
    const service = await startStaged([double, other], slowProbes);
    const viewer = await watch(service);
    await double.open('r');
    await other.open('r');
    await untilShown(viewer, { r: 2 });
    double.restart();
    await double.open('back');
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const answer = await fetch(`${service.url}/api/events/clients`, { headers });
    expect(await answer.json()).toMatchObject({ active: true });
    await untilShown(viewer, { r: 1, back: 1 });
  });

  test('that is repeated and claims to come through a proxy has servers asked less and less often', async () => {
    const double = await startDouble();
    const clock = new HeapClock();
    const service = await startStaged([double], slowProbes, { clock });
    await watch(service);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    await untilResting(service, double);
    const beganAtMs = performance.now();
    const askedAfterMs: number[] = [];
    await eventually(async () => {
      const headers = { 'X-Forwarded-For': '192.0.2.1' };
      await (await fetch(`${service.url}/api/events/clients`, { headers })).text();
      clock.advance(100);
      await untilResting(service, double);
      while (activationsOf(double) > 1 + askedAfterMs.length)
        askedAfterMs.push(performance.now() - beganAtMs);
      expect(askedAfterMs.length).toBeGreaterThanOrEqual(6);
    });
    // At once, after 2 s, after 4 s more: each time twice, as a second snapshot confirms the first one.
    const [, , second, , third] = askedAfterMs;
    expect(second).toBeGreaterThanOrEqual(2000);
    expect(third).toBeGreaterThanOrEqual(6000);
  });
});
