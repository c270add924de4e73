import { describe, expect, test } from '@jest/globals';
import { createRandom } from '../../../server/demo/random.js';
import { eventually } from '../../support/eventually.js';
import type { Fault } from '../../support/scriptedServer.js';
import {
  activationsOf,
  noResync,
  patient,
  recover,
  startDouble,
  startStaged,
  stateOf,
  truthOf,
  untilShown,
  untilState,
  watch,
  watchMaps,
} from '../../support/stage.js';

const faults: { name: string; fault: Fault }[] = [
  { name: '500', fault: { kind: 'status' } },
  { name: '500 after it took effect', fault: { kind: 'status', effect: 'onArrival' } },
  { name: '401', fault: { kind: 'status', status: 401 } },
  { name: 'a redirect', fault: { kind: 'redirect', location: '/elsewhere' } },
  { name: 'a reset', fault: { kind: 'reset' } },
  { name: 'a reset after it took effect', fault: { kind: 'reset', effect: 'onArrival' } },
  { name: 'HTML', fault: { kind: 'html' } },
  { name: 'nothing', fault: { kind: 'empty' } },
  { name: 'nothing after it took effect', fault: { kind: 'empty', effect: 'onArrival' } },
  { name: 'half an answer', fault: { kind: 'truncated' } },
  { name: 'half an answer and a reset', fault: { kind: 'truncated', cut: true } },
  { name: 'an answer that is too large', fault: { kind: 'oversized', bytes: 3000 } },
  { name: 'a hang', fault: { kind: 'hang' } },
  { name: 'a hang after it took effect', fault: { kind: 'hang', effect: 'onArrival' } },
  { name: 'JSON that is no list', fault: { kind: 'body', body: '{"r":1}' } },
  { name: 'the word null', fault: { kind: 'body', body: 'null' } },
];

describe('an activation that is answered with', () => {
  test.each(faults)('$name is retried, and the counts are exact then', async ({ fault }) => {
    const double = await startDouble();
    const service = await startStaged([double], { ...noResync, MAX_SNAPSHOT_BYTES: '2000' });
    double.rooms.set('r', 2);
    double.respond({ ...fault, times: 1 });
    const viewer = await watch(service);
    await eventually(() => expect(activationsOf(double)).toBeGreaterThanOrEqual(1));
    await double.open('r');
    await eventually(() => expect(activationsOf(double)).toBeGreaterThanOrEqual(2));
    await double.close('r');
    await double.open('s');
    await untilShown(viewer, { r: 2, s: 1 });
    // A request that hung may take effect only now.
    double.release();
    await double.open('s');
    await untilShown(viewer, { r: 2, s: 2 });
    await eventually(() => expect(viewer.seen().complete).toBe(true));
  });

  test.each(faults)('$name does not delay the counts of a healthy server', async ({ fault }) => {
    const [ill, well] = [await startDouble(), await startDouble()];
    const service = await startStaged([ill, well], { ...noResync, MAX_SNAPSHOT_BYTES: '2000' });
    ill.respond(fault);
    const viewer = await watchMaps(service);
    await well.open('r');
    await untilShown(viewer, { r: 1 });
    expect((await stateOf(service)).complete).toBe(false);
  });
});

describe('a snapshot with', () => {
  const entries = [
    ['rooms that repeat', '[{"r":1},{"s":2},{"r":2}]', { r: 3, s: 2 }],
    ['zeros and nothings', '[{"z":0},{},{"r":1},null,[],{"s":2}]', { r: 1, s: 2 }],
    ['several rooms in an object', '[{"r":1,"s":2}]', { r: 1, s: 2 }],
    [
      'counts that are none',
      '[{"a":"x"},{"b":null},{"c":1.5},{"d":{}},{"e":-1},{"f":1e400},{"r":1},{"s":2}]',
      { r: 1, s: 2 },
    ],
  ] as const;

  test.each(entries)('%s loses nothing of the rest', async (_name, body, shown) => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    double.respond({ kind: 'body', body });
    const viewer = await watch(service);
    await untilShown(viewer, shown);
  });
});

describe('viewers and a server at fault', () => {
  test.each([11, 12, 13])(
    'viewers flap with jitter while answers are lost (seed %i)',
    async (seed) => {
      const random = createRandom(seed);
      const double = await startDouble();
      const service = await startStaged([double], { ...noResync, LINGER_MS: '10' });
      const kinds: Fault[] = [
        { kind: 'normal' },
        { kind: 'reset', effect: 'onArrival' },
        { kind: 'status' },
        { kind: 'delay', delayMs: 20, effect: 'onAnswer' },
        { kind: 'delay', delayMs: 20 },
      ];
      const staying = await watchMaps(service);
      await staying.close();
      for (let flaps = 0; flaps < 25; flaps += 1) {
        double.respond({ ...(kinds[Math.floor(random() * kinds.length)] ?? { kind: 'normal' }) });
        const viewer = await watch(service);
        const room = `r${Math.floor(random() * 3)}`;
        const posts = [double.open(room)];
        // The jitter is under test.
        await new Promise((resolve) => setTimeout(resolve, random() * 25));
        if (random() < 0.5) posts.push(double.close(room));
        await viewer.close();
        await Promise.all(posts);
      }
      recover(double);
      const [last, maps] = [await watch(service), await watchMaps(service)];
      for (const viewer of [last, maps]) await untilShown(viewer, truthOf(double));
      await double.open('end');
      for (const viewer of [last, maps]) await untilShown(viewer, truthOf(double));
    },
  );

  test('viewers that come during a slow activation see the same', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...noResync, ...patient });
    double.rooms.set('r', 1);
    double.respond({ kind: 'hang', times: 1 });
    const viewers = await Promise.all([watch(service), watchMaps(service), watch(service)]);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    const late = await watchMaps(service);
    for (const viewer of [...viewers, late]) expect(viewer.rooms()).toEqual({});
    double.release();
    for (const viewer of [...viewers, late]) await untilShown(viewer, { r: 1 });
    await double.open('r');
    for (const viewer of [...viewers, late]) await untilShown(viewer, { r: 2 });
    expect(activationsOf(double)).toBe(1);
  });

  test.each(['0', '50'])(
    'the only viewer leaves during the activation: the server is silent in the end (linger %s ms)',
    async (LINGER_MS) => {
      const double = await startDouble();
      const env = { ...noResync, LINGER_MS, ...patient };
      const service = await startStaged([double], env);
      double.respond({ kind: 'hang', times: 1 });
      const viewer = await watch(service);
      await eventually(() => expect(activationsOf(double)).toBe(1));
      await viewer.close();
      await eventually(async () => expect((await stateOf(service)).viewers).toBe(0));
      double.release();
      await untilState(service, 'inactive');
      expect(double.active).toBe(false);
      expect(await double.open('r')).toEqual({ lost: 'not active' });
    },
  );

  test('one of two viewers leaves during the activation: the other gets the counts', async () => {
    const double = await startDouble();
    const service = await startStaged([double], { ...noResync, ...patient });
    double.rooms.set('r', 1);
    double.respond({ kind: 'hang', times: 1 });
    const [leaving, staying] = await Promise.all([watch(service), watch(service)]);
    await eventually(() => expect(activationsOf(double)).toBe(1));
    await leaving.close();
    double.release();
    await untilShown(staying, { r: 1 });
    await double.open('r');
    await untilShown(staying, { r: 2 });
  });
});
