import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import {
  activationsOf,
  getJson,
  noResync,
  patient,
  post,
  startDouble,
  startStaged,
  truthOf,
  untilShown,
  untilState,
  watch,
  wishesOf,
} from '../../support/stage.js';

/** Only evidence and confirmations can correct a count: there is no resync, and probes carry no counts. */
const runs = [
  { name: 'no linger time', env: { ...noResync, LINGER_MS: '0' } },
  { name: 'a linger time', env: { ...noResync, LINGER_MS: '50' } },
];

async function startWatched(env: Record<string, string>, count = 1) {
  const doubles = await Promise.all(Array.from({ length: count }, () => startDouble()));
  const service = await startStaged(doubles, env);
  const viewer = await watch(service);
  await untilState(service, 'watched');
  const [double, other] = doubles;
  if (!double) throw new Error('at least one');
  return { double, other: other ?? double, service, viewer };
}

describe.each(runs)('races, with $name and no resync', ({ env }) => {
  test.each([true, false])(
    'a start-up answer is applied after the PUT that overtook it (?port=: %s)',
    async (saysPort) => {
      const { double, service, viewer } = await startWatched(env);
      await double.open('old');
      await untilShown(viewer, { old: 1 });
      double.restart();
      await double.open('back');
      const puts = activationsOf(double);
      const overtaken = eventually(() => expect(activationsOf(double)).toBeGreaterThan(puts));
      const { port } = double;
      await double.askAtStartup(service.url, {
        appliedAfter: overtaken,
        ...(saysPort ? { port } : {}),
      });
      // It now posts to the URL of the answer, which is older than the snapshot.
      await double.open('back');
      await double.open('more');
      await untilShown(viewer, { back: 2, more: 1 });
      await double.close('back');
      await untilShown(viewer, truthOf(double));
    },
  );

  test('a `false` is applied after an answered `true`', async () => {
    const { double, service, viewer: first } = await startWatched(env);
    await double.open('r');
    await untilShown(first, { r: 1 });
    const { length } = wishesOf(double);
    double.respond({ kind: 'hang', times: 1 });
    await first.close();
    await eventually(() => expect(wishesOf(double)[length]?.active).toBe(false));
    // The next request is sent when this one has timed out. It may still be applied later.
    const second = await watch(service);
    await eventually(() => expect(activationsOf(double)).toBe(2));
    await untilShown(second, { r: 1 });
    double.release();
    await eventually(() => expect(double.active).toBe(false));
    expect(await double.open('r')).toEqual({ lost: 'not active' });
    await untilShown(second, { r: 2 });
    expect(await double.open('r')).toEqual({ status: 204 });
    await untilShown(second, { r: 3 });
  });

  test('a `true` is applied after an answered `false`', async () => {
    const { double, service, viewer: first } = await startWatched(env);
    await first.close();
    await untilState(service, 'inactive');
    double.respond({ kind: 'hang', times: 1 });
    const second = await watch(service);
    await eventually(() => expect(activationsOf(double)).toBe(2));
    await second.close();
    await untilState(service, 'inactive');
    double.release();
    await eventually(() => expect(double.active).toBe(true));
    expect(await double.open('r')).toEqual({ status: 204 });
    await eventually(() => expect(double.active).toBe(false));
    const third = await watch(service);
    await untilShown(third, { r: 1 });
  });

  test.each([true, false])('two servers at one address restart (?port=: %s)', async (saysPort) => {
    const { double, other, service, viewer } = await startWatched(env, 2);
    for (const each of [double, other]) await each.open('old');
    await untilShown(viewer, { old: 2 });
    for (const each of [double, other]) {
      each.restart();
      await each.open('back');
      const { port } = each;
      await each.askAtStartup(service.url, saysPort ? { port } : {});
      await each.open('back');
    }
    await untilShown(viewer, { back: 4 });
    await double.close('back');
    await other.open('b');
    await untilShown(viewer, { back: 3, b: 1 });
  });

  test('one of two servers at one address restarts: the counts of the other stay', async () => {
    const { double, other, service, viewer } = await startWatched(env, 2);
    await other.open('steady');
    await double.open('old');
    await untilShown(viewer, { steady: 1, old: 1 });
    double.restart();
    await double.open('back');
    await double.askAtStartup(service.url);
    await untilShown(viewer, { steady: 1, back: 1 });
    await other.open('steady');
    await double.open('back');
    await untilShown(viewer, { steady: 2, back: 2 });
    const seen = viewer.messages.map(({ data }) => JSON.parse(data).rooms?.steady);
    expect(seen).not.toContain(0);
  });

  test("a stranger's start-up query from a server's address changes no count", async () => {
    const { double, service, viewer } = await startWatched(env);
    await double.open('r');
    await untilShown(viewer, { r: 1 });
    const puts = activationsOf(double);
    const from = viewer.messages.length;
    const { eventsUrl } = await getJson<{ eventsUrl: string }>(
      `${service.url}/api/events/clients?port=${double.port}`,
    );
    await eventually(() => expect(activationsOf(double)).toBeGreaterThan(puts));
    await double.open('r');
    await untilShown(viewer, { r: 2 });
    const seen = viewer.messages.slice(from).map(({ data }) => JSON.parse(data).rooms?.r);
    expect(seen.filter((count) => count !== undefined && count !== 2)).toEqual([]);
    // A post to the URL that it was given changes nothing either: the snapshot is newer.
    expect((await post(eventsUrl, '{"room":"fake","add":1000}')).status).toBe(204);
    await double.open('r');
    await untilShown(viewer, { r: 3 });
  });

  test('a viewer leaves and returns at once, again and again', async () => {
    const { double, service, viewer } = await startWatched(env);
    let last = viewer;
    for (let times = 0; times < 10; times += 1) {
      await double.open('r');
      await last.close();
      last = await watch(service);
      await double.open('s');
    }
    await untilShown(last, { r: 10, s: 10 });
    await double.close('r');
    await untilShown(last, { r: 9, s: 10 });
  });

  test('the old viewer leaves while the new one comes', async () => {
    const { double, service, viewer } = await startWatched(env);
    let last = viewer;
    double.respond({ kind: 'delay', delayMs: 20 });
    for (let times = 0; times < 6; times += 1) {
      const [next] = await Promise.all([watch(service), last.close(), double.open('r')]);
      last = next;
    }
    await untilShown(last, { r: 6 });
    expect(last.isEnded()).toBe(false);
  });

  test('deltas are posted while the server is being silenced', async () => {
    const { double, service, viewer: first } = await startWatched({ ...env, ...patient });
    const { length } = wishesOf(double);
    double.respond({ kind: 'hang', times: 1 });
    await first.close();
    await eventually(() => expect(wishesOf(double)).toHaveLength(length + 1));
    for (let i = 0; i < 5; i += 1) expect(await double.open('r')).toEqual({ status: 204 });
    const second = await watch(service);
    double.release();
    await double.close('r');
    await untilShown(second, { r: 4 });
    await double.open('s');
    await untilShown(second, { r: 4, s: 1 });
  });

  test('deltas of an activation that is over arrive in the next one', async () => {
    const { double, service, viewer: first } = await startWatched(env);
    const { eventsUrl = '' } = double;
    for (const room of ['r', 's']) await double.open(room, { lose: true });
    await double.close('s', { lose: true });
    await first.close();
    await untilState(service, 'inactive');
    const second = await watch(service);
    await untilShown(second, { r: 1 });
    for (const late of [
      { room: 's', add: -1 },
      { room: 'r', add: 1 },
      { room: 's', add: 1 },
    ])
      expect((await post(eventsUrl, JSON.stringify(late))).status).toBe(204);
    await double.open('t');
    await untilShown(second, { r: 1, t: 1 });
  });
});
