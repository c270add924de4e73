import { type BenchChild, stopAll } from './children.js';
import { type Figure, inRounds, isQuick } from './figures.js';
import { measure } from './measure.js';
import { post, startStage, startViewers, untilLive, untilTrue } from './stage.js';
import type { Backlog, Seen } from './viewersProcess.js';

const rounds = isQuick ? 1 : 3;
const stalledMs = isQuick ? 6000 : 20_000;
const mib = 2 ** 20;
/** What may wait here for a viewer (docs/protocol.md). */
const maxPendingBytes = mib;
/** What a viewer that has stopped reading had read from the kernel before. */
const readAheadBytes = mib / 4;

const run = { connections: 4, perSecond: 50 };

/** What 20 viewers of whole maps cost that stop reading, and what they are sent when they read again. */
export async function stalledViewers(): Promise<Figure[]> {
  const all = await inRounds(rounds, oneRound);
  return [
    {
      figure: '20 viewers stop reading, 10,000 rooms',
      unit: 'MB more',
      aim: 10,
      mayBeZero: true,
      rounds: all.map(({ before, after, loadShare }) => ({
        ours: after.heldMb - before.heldMb,
        loadShare,
        notes: { 'memory of the process, MB more': after.rssMb - before.rssMb },
      })),
    },
    {
      figure: 'they read again: what had waited for one of them here, not in the kernel',
      unit: 'MB',
      aim: 2,
      mayBeZero: true,
      rounds: all.map(({ backlog, wholeBytes, loadShare }) => ({
        ours: (backlog.beyondKernel - wholeBytes) / 1e6,
        loadShare,
        notes: {
          'what had waited in the kernel, MB': backlog.inKernel / 1e6,
          'a whole map, MB': wholeBytes / 1e6,
        },
      })),
    },
  ];
}

async function oneRound() {
  const stage = await startStage(10_000, {}, ['--expose-gc']);
  const { poster, service } = stage;
  const about = { url: service.ready.url, path: '/api/events' };
  const other = await startViewers({ ...about, viewers: 1, readers: 1 });
  await untilLive(stage);
  await untilTrue(other, poster);
  await post(poster, { ...run, durationMs: 2000 });
  // They stop at once: the longer they read, the more the kernel takes in for them.
  const stalled = await startViewers({ ...about, viewers: 20, readers: 20 });
  await untilTrue(stalled, poster);
  await other.ask('mark');
  const measured = await measure(service, [poster, stalled, other], async () => {
    await stalled.ask('stopReading');
    await post(poster, { ...run, durationMs: stalledMs });
    await postUntilFull(poster, stalled, other);
  });
  await untilTrue(other, poster);
  await stalled.ask('readAgain');
  await untilTrue(stalled, poster);
  const { bytes, frames, ended } = await other.ask<Seen>('seen');
  const backlog = await stalled.ask<Backlog>('backlog');
  const seen = await stalled.ask<Seen>('seen');
  await stopAll(stalled, other, service, poster);
  const wholeBytes = bytes / frames;
  check(backlog, wholeBytes, ended + seen.ended);
  return { ...measured, backlog, wholeBytes };
}

/** Posts on until a queue without a bound would show, beside what the kernel takes in for a viewer. */
async function postUntilFull(
  poster: BenchChild<object>,
  stalled: BenchChild<object>,
  other: BenchChild<object>,
): Promise<void> {
  const isFull = async () => {
    const { bytes } = await other.ask<Seen>('seen');
    const { most } = await stalled.ask<{ most: number }>('inKernel');
    return bytes > most + 3 * maxPendingBytes;
  };
  for (let times = 0; !(await isFull()); times += 1) {
    if (times === 10) throw new Error('the kernel takes in whatever is sent to a stalled viewer');
    await post(poster, { ...run, durationMs: 3000 });
  }
}

/** Nothing is queued beyond what may wait; then one whole map comes. */
function check({ beyondKernel }: Backlog, wholeBytes: number, ended: number): void {
  if (ended > 0) throw new Error(`${ended} viewers were ended`);
  const most = maxPendingBytes + readAheadBytes + 2 * wholeBytes;
  if (beyondKernel > most)
    throw new Error(`a stalled viewer was sent ${beyondKernel} bytes, which is more than ${most}`);
}
