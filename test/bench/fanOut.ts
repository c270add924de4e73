/**
 * What a frame costs for each viewer, in processor time of the service: 50 events a second, of which
 * viewers are told by the stream of changes or by whole maps; beside it a program that does nothing but
 * write a shared buffer of the same size to as many viewers at the same rate. What the viewers ended with
 * is compared with the truth.
 */
import { type BenchChild, startChild } from './children.js';
import { type Figure, median, report } from './figures.js';
import type { PostResult, PostRun } from './posterProcess.js';
import { startStage, startViewers, untilLive, untilTrue } from './stage.js';
import type { Usage } from './usage.js';
import type { Seen } from './viewersProcess.js';

const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 1 : 5;
const durationMs = isQuick ? 2500 : 8000;
const perSecond = 50;

interface Case {
  viewers: number;
  rooms: number;
  stream: 'changes' | 'rooms';
  /** Time between frames, of both sides. */
  intervalMs: number;
}

const allCases: Case[] = [
  { viewers: 1000, rooms: 100, stream: 'changes', intervalMs: 50 },
  { viewers: 1000, rooms: 10_000, stream: 'changes', intervalMs: 50 },
  { viewers: 5000, rooms: 100, stream: 'changes', intervalMs: 250 },
  { viewers: 1000, rooms: 10_000, stream: 'rooms', intervalMs: 250 },
];

/** With 10,000 rooms a frame of changes is the same as with 100. */
const cases = isQuick
  ? allCases.filter(({ stream, rooms }) => stream === 'rooms' || rooms === 100)
  : allCases;

interface Measured {
  usPerFrame: number;
  framesPerSecond: number;
  frameBytes: number;
  viewersShare: number;
  bytesPerSecond: number;
}

/** Posts for a while, and tells what that cost whoever sends the frames. */
async function measure(
  sender: BenchChild<object>,
  poster: BenchChild<object>,
  viewers: BenchChild<object>,
  { viewers: amount }: Case,
  url?: string,
): Promise<Measured> {
  const order: PostRun = { connections: 4, perSecond, durationMs, ...(url && { url }) };
  // The first moment warms up.
  await poster.ask<PostResult>('post', { ...order, durationMs: 500 });
  await viewers.ask('mark');
  const before = await sender.ask<Usage>('read');
  const readBefore = await viewers.ask<Usage>('read');
  const { refused } = await poster.ask<PostResult>('post', order);
  const seen = await viewers.ask<Seen>('seen');
  const readAfter = await viewers.ask<Usage>('read');
  const after = await sender.ask<Usage>('read');
  if (refused > 0 || seen.ended > 0) throw new Error(`${refused} refused, ${seen.ended} ended`);
  const tookMs = after.atMs - before.atMs;
  return {
    usPerFrame: ((after.cpuMs - before.cpuMs) * 1000) / (seen.frames * amount),
    framesPerSecond: (seen.frames * 1000) / tookMs,
    frameBytes: Math.round(seen.frameBytes),
    viewersShare: (readAfter.cpuMs - readBefore.cpuMs) / tookMs,
    bytesPerSecond: Math.round((seen.frames * seen.frameBytes * 1000) / tookMs),
  };
}

async function measureOurs(each: Case): Promise<Measured> {
  const stage = await startStage(each.rooms, { FRAME_INTERVAL_MS: `${each.intervalMs}` });
  const { url } = stage.service.ready;
  const path = each.stream === 'changes' ? '/api/events?stream=changes' : '/api/events';
  const viewers = await startViewers({ url, path, viewers: each.viewers, readers: 1 });
  await untilLive(stage);
  await untilTrue(viewers, stage.poster);
  const measured = await measure(stage.service, stage.poster, viewers, each);
  await untilTrue(viewers, stage.poster);
  await viewers.stop();
  await stage.service.stop();
  await stage.poster.stop();
  return measured;
}

async function measureLimit(
  kind: 'res.write' | 'socket.write',
  each: Case,
  ours: Measured,
): Promise<Measured> {
  const intervalMs = 1000 / ours.framesPerSecond;
  const options = { kind, intervalMs, frameBytes: ours.frameBytes };
  const limit = await startChild<{ url: string }>('./limits/fanOut', { options });
  const poster = await startChild<object>('./posterProcess', {
    options: { rooms: each.rooms },
  });
  const { url } = limit.ready;
  const viewers = await startViewers({ url, path: '/', viewers: each.viewers, readers: 1 });
  const measured = await measure(limit, poster, viewers, each, url);
  await viewers.stop();
  await limit.stop();
  await poster.stop();
  return measured;
}

async function figureOf(each: Case): Promise<Figure> {
  const all: { ours: Measured; res: Measured; socket?: Measured }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const ours = await measureOurs(each);
    const res = await measureLimit('res.write', each, ours);
    all.push({
      ours,
      res,
      ...(!isQuick && { socket: await measureLimit('socket.write', each, ours) }),
    });
  }
  const of = (side: 'ours' | 'res' | 'socket', name: keyof Measured) =>
    median(all.map((round) => round[side]?.[name] ?? 0));
  const ratios = all.map(({ ours, res }) => ours.usPerFrame / res.usPerFrame);
  return {
    figure: `a frame to each of ${each.viewers} viewers, ${each.rooms} rooms, ${each.stream}`,
    unit: 'µs of processor',
    ours: of('ours', 'usPerFrame'),
    limits: {
      'res.write': of('res', 'usPerFrame'),
      ...(!isQuick && { 'socket.write': of('socket', 'usPerFrame') }),
    },
    ratio: median(ratios),
    aim: 1.2,
    best: Math.min(...ratios),
    notes: {
      'frames a second': of('ours', 'framesPerSecond'),
      'frames a second of res.write': of('res', 'framesPerSecond'),
      'bytes of a frame': of('ours', 'frameBytes'),
      'bytes a second to a viewer': of('ours', 'bytesPerSecond'),
      'processor share of the viewers': of('ours', 'viewersShare'),
    },
  };
}

const figures: Figure[] = [];
for (const each of cases) figures.push(await figureOf(each));
report('frames to viewers, 50 events a second', figures);
