import type { BenchChild } from './children.js';
import { measure } from './measure.js';
import type { PostResult, PostRun } from './posterProcess.js';
import type { Change } from './reader.js';
import { post } from './stage.js';

/** A sender of frames, and who receives them. */
export interface Side {
  sender: BenchChild<{ url: string }>;
  viewers: BenchChild<object>;
  /** Where to post to; undefined: to the service. */
  url?: string;
}

/** From posts to their receipt, in milliseconds. */
export interface Latencies {
  p50: number;
  p99: number;
  loadShare: number;
}

/** For every post and reader the time until the reader had its count, or a later one. */
function latenciesOf(posted: PostResult['posted'], changes: readonly Change[][]) {
  const latencies = changes.flatMap((seenByOne) => {
    const byRoom = new Map<string, Change[]>();
    for (const change of seenByOne)
      byRoom.set(change[0], [...(byRoom.get(change[0]) ?? []), change]);
    return posted.map(([room, count, postedAt]) => {
      const [, , seenAt] = byRoom.get(room)?.find(([, shown]) => shown >= count) ?? [];
      if (seenAt === undefined) throw new Error(`nobody was told of ${count} in ${room}`);
      return seenAt - postedAt;
    });
  });
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Posts for a while, and tells how long each took to its receipt. */
export async function latencies(
  { sender, viewers, url }: Side,
  poster: BenchChild<object>,
  { run, intervalMs }: { run: PostRun; intervalMs: number },
): Promise<Latencies> {
  await viewers.ask('mark');
  const { result, loadShare } = await measure(sender, [poster, viewers], () =>
    post(poster, { ...run, url }),
  );
  // The last frame comes after the last answer, on a busy machine long after.
  await new Promise((resolve) => setTimeout(resolve, Math.max(500, 4 * intervalMs)));
  const { changes } = await viewers.ask<{ changes: Change[][] }>('changes');
  return { ...latenciesOf(result.posted, changes), loadShare };
}
