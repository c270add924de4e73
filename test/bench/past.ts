/**
 * What the recent past costs: a post, and a frame to each of 500 viewers, beside a service that keeps no history and
 * no activity. And the past at its limits: 1,000 servers, 2,000 of 100,000 rooms, 500 events. Its memory must stay
 * below what docs/internals/architecture.md says.
 */
import { startChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import type { PastKind } from './pastProcess.js';
import { compareSides, endSides, frameCost, postCost, startSide, viewers } from './sides.js';

const rounds = isQuick ? 3 : 9;
const ticks = isQuick ? 50 : 300;
/** What is stated of a history. */
const statedMb = 32;

const past = await startChild<object>('./pastProcess', { node: ['--expose-gc'] });
const weigh = async (kind: PastKind) => (await past.ask<{ mb: number }>('weigh', { kind })).mb;
const time = async (kind: PastKind) => (await past.ask<{ ms: number }>('time', { kind, ticks })).ms;

/** Ours and its limit in turn, in one process, which has nothing else to do. */
async function beside(
  about: Pick<Figure, 'figure' | 'unit' | 'aim'>,
  costOf: (kind: PastKind) => Promise<number>,
  [ours, limit]: readonly [PastKind, PastKind],
): Promise<Figure> {
  const all = await inRounds(rounds, async () => ({
    ours: await costOf(ours),
    limits: { [`bare ${limit}`]: await costOf(limit) },
    loadShare: 0.01,
  }));
  return { ...about, rounds: all };
}

const memory = await beside({ figure: 'memory of a full history', unit: 'MB', aim: 1.1 }, weigh, [
  'history',
  'numbers',
]);
const most = Math.max(...memory.rounds.map(({ ours }) => ours));
if (most > statedMb) throw new Error(`a history took ${most} MB, more than the stated ${statedMb}`);
const alone = [
  memory,
  await beside({ figure: 'a second of a full history', unit: 'ms of processor', aim: 2 }, time, [
    'history',
    'numbers',
  ]),
  await beside({ figure: 'memory of 500 long events', unit: 'MB', aim: 2 }, weigh, [
    'activities',
    'events',
  ]),
];
await stopAll(past);

const ours = await startSide();
const other = await startSide('./serviceWithoutPast');
const sides = { ours, other, name: 'without the past', rounds };
const figures = [
  await compareSides({ ...sides, figure: 'a post of one delta', costOf: postCost }),
  await compareSides({
    ...sides,
    figure: `a frame to each of ${viewers} viewers`,
    costOf: frameCost,
  }),
  ...alone,
];
report('the recent past', figures);
await endSides(ours, other);
