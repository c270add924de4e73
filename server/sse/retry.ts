/**
 * When clients are to come back after the end of their stream. The range is decided here alone.
 *
 * `absent`: nobody may be there to answer for a while, because this process ends or is full. A balancer
 * that answers 502 meanwhile closes an EventSource for good, so they had better wait.
 * `present`: somebody answers at once.
 */
export type Answerer = 'absent' | 'present';

const rangesMs: Record<Answerer, { least: number; most: number }> = {
  absent: { least: 5000, most: 15_000 },
  present: { least: 1000, most: 3000 },
};

/** Milliseconds, spread: a thousand clients that come back in one moment are as bad as an attack. */
export function retryMs(answerer: Answerer): number {
  const { least, most } = rangesMs[answerer];
  return Math.round(least + Math.random() * (most - least));
}
