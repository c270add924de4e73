/** Those who send frames, ours and limits, each with its own viewers, and what a frame costs them. */
import { type BenchChild, startChild } from './children.js';
import type { fanOutKinds } from './limits/fanOut.js';
import { measure } from './measure.js';
import type { PostRun } from './posterProcess.js';
import { post, type Stage, startViewers } from './stage.js';
import type { Seen } from './viewersProcess.js';
import { until } from './within.js';

export interface FanOutCase {
  viewers: number;
  rooms: number;
  stream: 'changes' | 'rooms';
  /** The least time between frames. */
  intervalMs: number;
}

/** A sender of frames and its viewers. */
export interface Fans {
  sender: BenchChild<{ url: string }>;
  viewers: BenchChild<object>;
  /** Where to post to; undefined: to the service. */
  url?: string;
}

export interface Frames {
  usPerFrame: number;
  framesPerSecond: number;
  frameBytes: number;
  postsPerSecond: number;
  loadShare: number;
}

export const startOurs = ({ service }: Stage, each: FanOutCase): Promise<Fans> =>
  startFansOf(service, each);

/** A service with viewers. */
export async function startFansOf(sender: Stage['service'], each: FanOutCase): Promise<Fans> {
  const path = each.stream === 'changes' ? '/api/events?stream=changes' : '/api/events';
  const { url } = sender.ready;
  return { sender, viewers: await startViewers({ url, path, viewers: each.viewers, readers: 1 }) };
}

export async function startLimit(
  kind: (typeof fanOutKinds)[number],
  { viewers: amount, intervalMs }: Pick<FanOutCase, 'viewers' | 'intervalMs'>,
): Promise<Fans> {
  const options = { kind, intervalMs, frameBytes: 0 };
  const sender = await startChild<{ url: string }>('./limits/fanOut', { options });
  const { url } = sender.ready;
  const viewers = await startViewers({ url, path: '/', viewers: amount, readers: 1 });
  return { sender, viewers, url };
}

/** Posts for a while, and tells what that cost whoever sends the frames. */
export async function measureFrames(
  { sender, viewers, url }: Fans,
  poster: BenchChild<object>,
  { viewers: amount, intervalMs }: FanOutCase,
  run: PostRun,
): Promise<Frames> {
  await viewers.ask('mark');
  const { result, cpuMs } = await measure(sender, [], async () => {
    const posting = await measure(sender, [poster, viewers], () => post(poster, { ...run, url }));
    return { posting, seen: await seenAtRest(viewers, intervalMs) };
  });
  const { seen, posting } = result;
  check(seen);
  return {
    usPerFrame: (cpuMs * 1000) / (seen.frames * amount),
    framesPerSecond: seen.framesPerSecond,
    frameBytes: Math.round(seen.bytes / seen.frames),
    postsPerSecond: (posting.result.posts * 1000) / posting.result.tookMs,
    loadShare: posting.loadShare,
  };
}

/** What viewers saw when the last frame is there for all: nothing came for longer than a frame takes. */
async function seenAtRest(viewers: BenchChild<object>, intervalMs: number): Promise<Seen> {
  let before = '';
  let seen: Seen | undefined;
  await until(
    'the last frame is there',
    async () => {
      seen = await viewers.ask<Seen>('seen');
      const now = JSON.stringify(seen);
      const isSame = now === before;
      before = now;
      return isSame;
    },
    intervalMs + 50,
  );
  return seen as Seen;
}

/** Each viewer is to have got all frames: what they cost is divided by as many. */
function check({ frames, bytes, leastBytes, ended }: Seen): void {
  if (ended > 0) throw new Error(`${ended} viewers were ended`);
  if (frames < 2) throw new Error(`only ${frames} frames came`);
  if (leastBytes < 0.9 * bytes)
    throw new Error(`a viewer got ${leastBytes} bytes, and another one ${bytes}`);
}
