import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { connectTo, startReal } from '../../support/fleet.js';
import {
  activationsOf,
  noResync,
  recover,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  untilState,
  watch,
} from '../../support/stage.js';

const slowProbes = { ...noResync, PROBE_INTERVAL_MS: '60000' };

describe('a start-up answer that is applied very late', () => {
  test('after the snapshot and its confirmation: the first delta tells', async () => {
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
    await eventually(async () => expect(activationsOf(double)).toBe(2));
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
  test('from a server that is not waited for any longer has it asked at once', async () => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    double.respond({ kind: 'reset' });
    double.respond({ kind: 'reset', to: 'health' });
    const viewer = await watch(service);
    // Four failures: the next try is two seconds away.
    await eventually(() => expect(activationsOf(double)).toBe(4));
    recover(double);
    await double.open('r');
    const since = performance.now();
    await double.askAtStartup(service.url);
    await untilShown(viewer, { r: 1 });
    // A bound on time, as this is about time: far from the two seconds, and from a busy machine's delay.
    expect(performance.now() - since).toBeLessThan(1000);
  });

  test('that comes while nobody looks makes the server known to the next viewer', async () => {
    const service = await startStaged([], noResync);
    const found = await startReal({ dashboardUrl: service.url });
    await connectTo(found, 'r');
    await eventually(() => expect(service.actor.getSnapshot().context.roster.candidates).toBe(1));
    expect((await stateOf(service)).servers).toBe(0);
    const viewer = await watch(service);
    await untilShown(viewer, { r: 1 });
    expect((await serversOf(service)).map(({ id }) => id)).toEqual([found.id]);
  });

  test('in the name of a server that never answers is forgotten after three failures', async () => {
    const double = await startDouble();
    double.respond({ kind: 'hang' });
    // Unreachable before the second failure: that must not end the counting.
    const env = { ...noResync, REQUEST_TIMEOUT_MS: '400', PROBE_INTERVAL_MS: '50' };
    const service = await startStaged([], env);
    await watch(service);
    await double.askAtStartup(service.url, { port: double.port });
    const candidates = () => service.actor.getSnapshot().context.roster.candidates;
    expect(candidates()).toBe(1);
    await eventually(() => expect(candidates()).toBe(0));
    expect(activationsOf(double)).toBe(3);
  });

  test('from a server that is known by its host name has it counted once', async () => {
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

  test('that a proxy passed on has every server asked, none of them forgotten', async () => {
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

  test('that claim again and again to come through a proxy have everybody asked ever more rarely', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...slowProbes, ...noResync });
    await watch(service);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    const at: number[] = [];
    await eventually(
      async () => {
        const headers = { 'X-Forwarded-For': '192.0.2.1' };
        await (await fetch(`${service.url}/api/events/clients`, { headers })).text();
        if (activationsOf(double) > 1 + at.length) at.push(performance.now());
        expect(at.length).toBeGreaterThanOrEqual(5);
      },
      { withinMs: 50_000 },
    );
    // Each time with one to confirm it. At first at once, then after 2 s, then after 4; a busy machine only adds.
    expect((at[4] ?? 0) - (at[2] ?? 0)).toBeGreaterThan(3000);
  });
});
