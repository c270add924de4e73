import { describe, expect, test } from '@jest/globals';
import { Doc, encodeStateAsUpdate } from 'yjs';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import {
  activationsOf,
  calm,
  getJson,
  noResync,
  post,
  stateOf,
  untilShown,
  watch,
} from '../../support/stage.js';
import { startWatched } from '../../support/watchedService.js';

/** With evidence a server is asked at least every two seconds. */
const steady = { ...calm, RESYNC_INTERVAL_MS: '2000' };

interface Attacked {
  service: { url: string };
  double: { port: number };
}

/** A neighbor at the address of a server gets a start-up token in its name, and posts with it. */
async function intrude({ service, double }: Attacked, body: object): Promise<void> {
  const query = `${service.url}/api/events/clients?port=${double.port}`;
  const { active, eventsUrl } = await getJson<{ active: boolean; eventsUrl: string }>(query);
  expect(active).toBe(true);
  expect((await post(eventsUrl, JSON.stringify(body))).status).toBe(204);
}

/** All counts of a room that a viewer received. */
const toldOf = (viewer: EventStream, room: string): number[] =>
  viewer.messages.flatMap(({ data }) => JSON.parse(data).rooms?.[room] ?? []);

describe('a neighbor at the address of a server, with its port', () => {
  test('changes no count by hundreds of start-up queries and posts, while connections come and go', async () => {
    const { double, service, viewer } = await startWatched({ ...calm, ...noResync });
    const puts = activationsOf(double);
    const began = performance.now();
    const attacked = { service, double };
    let isOver = false;
    let attacks = 0;
    const attack = (async () => {
      for (; attacks < 300 && !isOver; attacks += 1)
        await intrude(attacked, [
          { room: 'r', add: attacks % 2 === 0 ? 1000 : -1000 },
          { room: 'fake', add: 1 },
        ]);
      return attacks;
    })();
    // Each connection is shown, and nothing else, before the next one opens or closes.
    for (let round = 0; round < 20; round += 1) {
      await double.open('r');
      await untilShown(viewer, { r: 3 });
      await double.close('r');
      await untilShown(viewer, { r: 2 });
      await eventually(() => expect(attacks).toBeGreaterThanOrEqual(15 * round));
    }
    expect(await attack).toBe(300);
    isOver = true;
    expect(new Set(toldOf(viewer, 'r'))).toEqual(new Set([1, 2, 3]));
    expect(toldOf(viewer, 'fake')).toEqual([]);
    // The server is asked far more rarely than it is attacked: at most twice in two seconds.
    const seconds = (performance.now() - began) / 1000;
    expect(activationsOf(double) - puts).toBeLessThan(30 + seconds);
  });

  test('makes the totals incomplete until the next snapshot, and no server stale', async () => {
    const { double, service, viewer } = await startWatched(steady);
    const puts = activationsOf(double);
    double.respond({ kind: 'hang', times: 1 });
    await intrude({ service, double }, { room: 'fake', add: 1 });
    await eventually(async () =>
      expect(await stateOf(service)).toMatchObject({
        live: 2,
        complete: false,
        reason: 'snapshot_due',
      }),
    );
    await eventually(() => expect(activationsOf(double)).toBeGreaterThan(puts));
    double.release();
    await eventually(async () => expect(await stateOf(service)).toMatchObject({ complete: true }));
    await untilShown(viewer, { r: 2 });
    for (const { data } of viewer.messages) expect(data).not.toContain('stale');
  });

  test('does not keep a server that really restarted from being counted', async () => {
    const { double, service, viewer } = await startWatched(steady);
    const attacked = { service, double };
    for (let i = 0; i < 20; i += 1) await intrude(attacked, { room: 'fake', add: 1 });
    double.restart();
    await double.askAtStartup(service.url, { port: double.port });
    await double.open('back');
    await double.open('back');
    // One of the other server, and these two, which its next snapshot brings.
    await untilShown(viewer, { r: 1, back: 2 });
    await double.open('back');
    await untilShown(viewer, { r: 1, back: 3 });
    expect(toldOf(viewer, 'back').filter((count) => count < 2)).toEqual([]);
    await eventually(async () => expect(await stateOf(service)).toMatchObject({ complete: true }));
  });

  test('adds nothing to the observations, nor to the updates of documents', async () => {
    const { double, service, viewer } = await startWatched(calm);
    const updates = await watch(service, '/api/updates');
    const update = Buffer.from(encodeStateAsUpdate(new Doc())).toString('base64');
    await intrude({ service, double }, [
      { room: 'fake', add: 1 },
      { room: 'fake', update },
    ]);
    await eventually(() => expect(activationsOf(double)).toBeGreaterThan(1));
    await double.open('after');
    await post(double.eventsUrl ?? '', JSON.stringify({ room: 'after', update }));
    await untilShown(viewer, { r: 2, after: 1 });
    const toldOfUpdates = () => updates.messages.map(({ data }) => data).join();
    await eventually(() => expect(toldOfUpdates()).toContain('after'));
    expect(toldOfUpdates()).not.toContain('fake');
    const seen = JSON.stringify(await getJson(`${service.url}/api/connections/latest`));
    expect(seen).toContain('after');
    expect(seen).not.toContain('fake');
  });
});
