import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { Doc, encodeStateAsUpdate } from 'yjs';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import {
  activationsOf,
  getJson,
  noResync,
  post,
  stateOf,
  untilShown,
  watch,
} from '../../support/stage.js';
import { calm, startWatched } from '../../support/watchedService.js';

/** It is set right no more rarely than every two seconds, however often there is evidence. */
const steady = { ...calm, RESYNC_INTERVAL_MS: '2000' };
const long = { withinMs: 20_000 };

interface Attacked {
  service: { url: string };
  double: { port: number };
}

/** Somebody at the address of a server takes a start-up token in its name, and posts under it. */
async function intrude({ service, double }: Attacked, body: object): Promise<void> {
  const query = `${service.url}/api/events/clients?port=${double.port}`;
  const { active, eventsUrl } = await getJson<{ active: boolean; eventsUrl: string }>(query);
  expect(active).toBe(true);
  expect((await post(eventsUrl, JSON.stringify(body))).status).toBe(204);
}

/** All that a viewer was ever told of the connections of a room. */
const toldOf = (viewer: EventStream, room: string): number[] =>
  viewer.messages.flatMap(({ data }) => JSON.parse(data).rooms?.[room] ?? []);

describe('somebody at the address of a server, with its port', () => {
  test('changes no number by hundreds of start-up queries and posts, while connections come and go', async () => {
    const { double, service, viewer } = await startWatched({ ...calm, ...noResync });
    const puts = activationsOf(double);
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
    // Each of them is shown, and nothing else, before the next one comes or goes.
    for (let round = 0; round < 20; round += 1) {
      await double.open('r');
      await untilShown(viewer, { r: 3 });
      await double.close('r');
      await untilShown(viewer, { r: 2 });
      await pause(20);
    }
    expect(await attack).toBe(300);
    isOver = true;
    expect(new Set(toldOf(viewer, 'r'))).toEqual(new Set([1, 2, 3]));
    expect(toldOf(viewer, 'fake')).toEqual([]);
    // One for each time that it may be set right: far from one for each attack.
    expect(activationsOf(double) - puts).toBeLessThan(30);
  });

  test('has the totals called incomplete until the next snapshot, and no server called anything', async () => {
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
    await eventually(
      async () => expect(await stateOf(service)).toMatchObject({ complete: true }),
      long,
    );
    await untilShown(viewer, { r: 2 });
    for (const { data } of viewer.messages) expect(data).not.toContain('stale');
  });

  test('does not keep a server that has really begun anew from being counted', async () => {
    const { double, service, viewer } = await startWatched(steady);
    const attacked = { service, double };
    for (let i = 0; i < 20; i += 1) await intrude(attacked, { room: 'fake', add: 1 });
    double.restart();
    await double.askAtStartup(service.url, { port: double.port });
    await double.open('back');
    await double.open('back');
    // The one of the other server, and these two: with its next snapshot, not before.
    await untilShown(viewer, { r: 1, back: 2 }, long.withinMs);
    await double.open('back');
    await untilShown(viewer, { r: 1, back: 3 }, long.withinMs);
    expect(toldOf(viewer, 'back').filter((count) => count < 2)).toEqual([]);
    await eventually(
      async () => expect(await stateOf(service)).toMatchObject({ complete: true }),
      long,
    );
  });

  test('puts nothing into what the service sees itself, nor among the updates of documents', async () => {
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
