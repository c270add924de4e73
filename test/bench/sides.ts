/** Two services that differ in one thing, and what a post and a frame cost each, in turn. */
import { stopAll } from './children.js';
import { type FanOutCase, type Fans, measureFrames, startFansOf } from './fans.js';
import { type Figure, inRounds, isQuick } from './figures.js';
import { measure } from './measure.js';
import { post, type Stage, startStage, untilLive, untilTrue } from './stage.js';

/** A service with a posting server and viewers. */
export interface Side {
  stage: Stage;
  fans: Fans;
}

const durationMs = isQuick ? 1000 : 3000;
const each: FanOutCase = { viewers: 500, rooms: 1000, stream: 'changes', intervalMs: 50 };
export const { viewers } = each;

/** `file`: another service process, without its extension. */
export async function startSide(file?: string): Promise<Side> {
  const stage = await startStage(each.rooms, { MAX_VIEWERS_PER_ADDRESS: '2000' }, [], file);
  const fans = await startFansOf(stage.service, each);
  await untilLive(stage);
  await untilTrue(fans.viewers, stage.poster);
  return { stage, fans };
}

/** Rejects unless every viewer has the true counts. */
export async function endSides(...sides: readonly Side[]): Promise<void> {
  for (const { fans, stage } of sides) await untilTrue(fans.viewers, stage.poster);
  for (const { fans, stage } of sides) await stopAll(fans.viewers, stage.service, stage.poster);
}

/** What something costs a side, in microseconds of processor. */
type CostOf = (side: Side) => Promise<{ us: number; loadShare: number }>;

export const postCost: CostOf = async ({ stage: { poster, service } }) => {
  const run = { connections: 10, perSecond: 3000, durationMs };
  const { result, cpuMs, loadShare } = await measure(service, [poster], () => post(poster, run));
  return { us: (cpuMs * 1000) / result.posts, loadShare };
};

export const frameCost: CostOf = async ({ stage: { poster }, fans }) => {
  const run = { connections: 4, perSecond: 50, durationMs };
  const { usPerFrame, loadShare } = await measureFrames(fans, poster, each, run);
  return { us: usPerFrame, loadShare };
};

/** What is compared: ours with another side, which has a name. */
interface Comparison {
  figure: string;
  costOf: CostOf;
  ours: Side;
  other: Side;
  name: string;
  rounds: number;
}

/** Both sides in turn, at most 5 % apart; the first round warms up and is not counted. */
export async function compareSides(comparison: Comparison): Promise<Figure> {
  const { figure, costOf, ours, other, name, rounds } = comparison;
  const all = await inRounds(rounds + 1, async () => ({
    ours: await costOf(ours),
    without: await costOf(other),
  }));
  return {
    figure,
    unit: 'µs of processor',
    aim: 1.05,
    needsSpareLoad: true,
    rounds: all.slice(1).map((round) => ({
      ours: round.ours.us,
      limits: { [name]: round.without.us },
      loadShare: Math.max(round.ours.loadShare, round.without.loadShare),
    })),
  };
}
