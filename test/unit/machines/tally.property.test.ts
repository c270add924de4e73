import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RoomName } from '../../../machines/ports.js';
import { runs } from '../../support/runs.js';
import { type Happening, roomNames, TallyWorld } from './support/tallyWorld.js';

const weights: Record<Happening['type'], number> = {
  opened: 8,
  closed: 4,
  activationSent: 4,
  silenceSent: 1,
  startupAnswered: 1,
  callApplied: 6,
  callLost: 1,
  answerDelivered: 5,
  answerLost: 1,
  deltaDelivered: 9,
  deltaLost: 1,
  restarted: 1,
  dropped: 1,
  cleared: 1,
};
const losses: readonly Happening['type'][] = ['deltaLost'];

const happeningOf = (types: readonly Happening['type'][]): fc.Arbitrary<Happening> =>
  fc.record({
    type: fc.oneof(
      ...types.map((type) => ({ arbitrary: fc.constant(type), weight: weights[type] })),
    ),
    server: fc.nat({ max: 2 }),
    room: fc.nat({ max: roomNames.length - 1 }),
    pick: fc.nat({ max: 31 }),
  });
const all = Object.keys(weights) as Happening['type'][];
const lossless = all.filter((type) => !losses.includes(type));
const history = (types: readonly Happening['type'][]) =>
  fc.array(happeningOf(types), { minLength: 10, maxLength: 90, size: 'max' });
const sizes = fc.integer({ min: 1, max: 3 });

let quietMoments = 0;

function expectModel(world: TallyWorld): void {
  const { tally } = world;
  const sums = new Map<RoomName, number>();
  let connections = 0;
  for (const server of world.ids) {
    const model = world.modelOf(server);
    for (const [room, count] of model) sums.set(room, (sums.get(room) ?? 0) + count);
    const own = [...model.values()].reduce((sum, count) => sum + count, 0);
    connections += own;
    expect([
      tally.baseOf(server),
      tally.sizeOf(server),
      ...roomNames.map((room) => tally.countOn(server, room)),
    ]).toEqual([
      world.baseOf(server),
      { rooms: model.size, connections: own },
      ...roomNames.map((room) => model.get(room) ?? 0),
    ]);
    if (!world.isQuiet(server)) continue;
    quietMoments += 1;
    expect(model).toEqual(world.truthOf(server));
  }
  expect(new Map(tally.totals)).toEqual(sums);
  expect(tally.connections).toBe(connections);
  expect([...tally.totals.values()].every((count) => count >= 1)).toBe(true);
  expect(tally.toJSON()).toMatchObject({ rooms: sums.size, connections });
}

describe('in any world, the tally', () => {
  test('is at every moment the formula, and the truth whenever all has been delivered', () => {
    fc.assert(
      fc.property(sizes, history(all), (size, happenings) => {
        const world = new TallyWorld(size);
        for (const happening of happenings) {
          world.happen(happening);
          expectModel(world);
        }
      }),
      runs(150),
    );
    // Else nothing was compared with the truth. Most runs have 250 to 500 such moments.
    expect(quietMoments).toBeGreaterThan(100);
  });

  test('notes every room whose total changed, so that a copy can follow', () => {
    fc.assert(
      fc.property(sizes, history(all), fc.nat({ max: 4 }), (size, happenings, pause) => {
        const world = new TallyWorld(size);
        const { tally } = world;
        const copy = new Map<RoomName, number>();
        happenings.forEach((happening, i) => {
          world.happen(happening);
          if (happening.type === 'cleared') copy.clear();
          if (i % (pause + 1) > 0) return;
          for (const room of tally.takeChanged()) {
            const total = tally.totals.get(room);
            if (total === undefined) copy.delete(room);
            else copy.set(room, total);
          }
          expect(copy).toEqual(tally.totals);
          expect(tally.takeChanged().size).toBe(0);
        });
      }),
      runs(40),
    );
  });

  test('is the truth again after one more snapshot, whatever was before', () => {
    fc.assert(
      fc.property(sizes, history(all), history(lossless), (size, before, after) => {
        const world = new TallyWorld(size);
        for (const happening of before) world.happen(happening);
        while (world.calls.length > 0) world.happenings.callApplied(only(0));
        for (const server of world.ids) {
          world.sendActivation(server);
          world.apply(world.calls.pop());
        }
        // Connections open and close while answers and deltas are on their way, in any order.
        for (const happening of after) if (isTraffic(happening)) world.happen(happening);
        while (world.answers.length > 0) world.happenings.answerDelivered(only(5));
        while (world.deltas.length > 0) world.happenings.deltaDelivered(only(3));
        for (const server of world.ids) expect(world.isQuiet(server)).toBe(true);
        expectModel(world);
      }),
      runs(40),
    );
  });
});

const only = (pick: number): Happening => ({ type: 'opened', server: 0, room: 0, pick });

const traffic: readonly Happening['type'][] = [
  'opened',
  'closed',
  'answerDelivered',
  'deltaDelivered',
];
const isTraffic = ({ type }: Happening) => traffic.includes(type);
