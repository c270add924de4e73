/**
 * What a frame costs for each viewer, in processor time of the service: 50 events a second, of which
 * viewers are told by the stream of changes or by whole maps; beside it programs that do nothing but
 * write a shared buffer of the same size to as many viewers at the same rate. What the viewers ended with
 * is compared with the truth.
 */
import { stopAll } from './children.js';
import {
  type FanOutCase,
  type Fans,
  type Frames,
  measureFrames,
  startLimit,
  startOurs,
} from './fans.js';
import { type Figure, inRounds, isQuick, report } from './figures.js';
import type { fanOutKinds } from './limits/fanOut.js';
import { type Stage, startStage, untilLive, untilTrue } from './stage.js';

const rounds = isQuick ? 2 : 5;
const durationMs = isQuick ? 800 : 5000;
const warmUpMs = 600;
const perSecond = 50;
/** Events a second that are taken in at the least: the poster's clock is not the service's. */
const leastPerSecond = 45;
/** Frame rates of both sides may differ so much, or they are not comparable. */
const maxRateRatio = 1.2;

/** Frames of changes to 5,000 viewers cannot be sent 20 times a second by anybody here. */
const allCases: FanOutCase[] = [
  { viewers: 1000, rooms: 100, stream: 'changes', intervalMs: 50 },
  { viewers: 1000, rooms: 10_000, stream: 'changes', intervalMs: 50 },
  { viewers: 5000, rooms: 100, stream: 'changes', intervalMs: 250 },
  { viewers: 1000, rooms: 10_000, stream: 'rooms', intervalMs: 50 },
];

/** A frame of changes is the same with 100 rooms as with 10,000, which is the harder case. */
const cases = isQuick ? allCases.filter(({ rooms }) => rooms > 100) : allCases;

const limitKinds = isQuick
  ? (['res.write'] as const)
  : (['res.write', 'res.write without chunks', 'socket.write'] as const);

type LimitKind = (typeof fanOutKinds)[number];

interface FanOutRound {
  ours: Frames;
  limits: [LimitKind, Frames][];
}

/** A case as it runs: a service, its viewers and those of the limits. */
interface Running {
  each: FanOutCase;
  stage: Stage;
  ours: Fans;
  limits: { kind: LimitKind; fans: Fans }[];
}

async function start(each: FanOutCase): Promise<Running> {
  const stage = await startStage(each.rooms, { FRAME_INTERVAL_MS: `${each.intervalMs}` });
  const limit = async (kind: LimitKind) => ({ kind, fans: await startLimit(kind, each) });
  const [ours, limits] = await Promise.all([
    startOurs(stage, each),
    Promise.all(limitKinds.map(limit)),
  ]);
  await untilLive(stage);
  await untilTrue(ours.viewers, stage.poster);
  return { each, stage, ours, limits };
}

/** All sides in turn: the limits with frames as big and as frequent as ours were. */
async function oneRound({ each, stage, ours, limits }: Running, forMs: number) {
  const { poster } = stage;
  const run = { connections: 4, perSecond, durationMs: forMs };
  const round: FanOutRound = { ours: await measureFrames(ours, poster, each, run), limits: [] };
  const { frameBytes, framesPerSecond } = round.ours;
  for (const { kind, fans } of limits) {
    await fans.sender.ask('pace', { frameBytes, intervalMs: 1000 / framesPerSecond });
    round.limits.push([kind, await measureFrames(fans, poster, each, run)]);
  }
  return round;
}

/** Several rounds; the first one is short, warms up and is not counted. */
async function roundsOf(each: FanOutCase): Promise<FanOutRound[]> {
  const running = await start(each);
  const { stage, ours, limits } = running;
  await oneRound(running, warmUpMs);
  const all = await inRounds(rounds, () => oneRound(running, durationMs));
  await untilTrue(ours.viewers, stage.poster);
  for (const { viewers, sender } of [ours, ...limits.map(({ fans }) => fans)])
    await stopAll(viewers, sender);
  await stage.poster.stop();
  return all;
}

/** Rejects what cannot be compared. Noise makes rates lower: the best ones are looked at. */
function check(name: string, all: readonly FanOutRound[]): void {
  const most = (values: number[]) => Math.max(...values);
  const taken = most(all.map(({ ours }) => ours.postsPerSecond));
  if (taken < leastPerSecond) throw new Error(`${name}: only ${taken} events a second`);
  const rate = most(all.map(({ ours }) => ours.framesPerSecond));
  for (const kind of limitKinds) {
    const beside = most(all.map(({ limits }) => framesOf(limits, kind).framesPerSecond));
    if (Math.max(rate / beside, beside / rate) > maxRateRatio)
      throw new Error(`${name}: ${rate} frames a second, and ${beside} of ${kind}`);
  }
}

function framesOf(limits: FanOutRound['limits'], wanted: LimitKind): Frames {
  const [, frames] = limits.find(([kind]) => kind === wanted) ?? [];
  if (!frames) throw new Error(`${wanted} was not measured`);
  return frames;
}

function costFigure(figure: string, all: readonly FanOutRound[]): Figure {
  return {
    figure,
    unit: 'µs of processor',
    aim: 1.2,
    needsSpareLoad: true,
    rounds: all.map(({ ours, limits }) => ({
      ours: ours.usPerFrame,
      limits: Object.fromEntries(limits.map(([kind, { usPerFrame }]) => [kind, usPerFrame])),
      loadShare: Math.max(ours.loadShare, ...limits.map(([, { loadShare }]) => loadShare)),
      notes: {
        'frames a second': ours.framesPerSecond,
        'frames a second of res.write': framesOf(limits, 'res.write').framesPerSecond,
        'bytes of a frame': ours.frameBytes,
        'events a second': ours.postsPerSecond,
      },
    })),
  };
}

const bytesFigure = (all: readonly FanOutRound[]): Figure => ({
  figure: 'whole maps of 10,000 rooms: bytes a second to a viewer',
  unit: 'MB',
  aim: 1,
  needsSpareLoad: true,
  rounds: all.map(({ ours }) => ({
    ours: (ours.framesPerSecond * ours.frameBytes) / 1e6,
    loadShare: ours.loadShare,
  })),
});

async function figuresOf(each: FanOutCase): Promise<Figure[]> {
  const all = await roundsOf(each);
  const name = `a frame to each of ${each.viewers} viewers, ${each.rooms} rooms, ${each.stream}`;
  check(name, all);
  const cost = costFigure(name, all);
  return each.stream === 'rooms' ? [cost, bytesFigure(all)] : [cost];
}

const figures: Figure[] = [];
for (const each of cases) figures.push(...(await figuresOf(each)));
report('frames to viewers, 50 events a second', figures);
