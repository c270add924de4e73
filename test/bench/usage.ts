/** What the processes of a benchmark tell of themselves when they are asked. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a process took since it began; the longest turn since the last `reset`. */
export interface Usage {
  /** Processor time, user and system. */
  cpuMs: number;
  /** See `monotonicMs`. */
  atMs: number;
  longestTurnMs: number;
  rssMb: number;
  /** Heap in use and what is outside of it, after a collection where the process allows to force one. */
  heldMb: number;
}

/** The monotonic clock of the machine, which all its processes share; in milliseconds. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

const delay = monitorEventLoopDelay({ resolution: 1 });

export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  // What the first collection finds to be held by dead buffers alone, the second one frees.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    cpuMs: (user + system) / 1000,
    atMs: monotonicMs(),
    longestTurnMs: delay.max / 1e6,
    rssMb: rss / 2 ** 20,
    heldMb: (heapUsed + external) / 2 ** 20,
  };
}

/** Answers `reset` and `read` of the parent process with what this one took, and ends with it. */
export function answerUsage(): void {
  // To look at the event loop every millisecond takes 2 % of a processor.
  if (process.env.BENCH_TURNS !== 'none') delay.enable();
  process.on('message', ({ type }: { type: string }) => {
    if (type !== 'reset' && type !== 'read') return;
    process.send?.({ type, ...usage() });
    if (type === 'reset') delay.reset();
  });
  process.on('disconnect', () => process.exit(0));
}
