/**
 * Whether the service can answer when a client reconnects after the end of its stream.
 *
 * `absent`: not for a while, because this process ends or is full. Clients must wait: a load balancer that
 * answers 502 closes an EventSource for good. `present`: at once.
 */
export type Answerer = 'absent' | 'present';

const rangesMs: Record<Answerer, { least: number; most: number }> = {
  absent: { least: 5000, most: 15_000 },
  present: { least: 1000, most: 3000 },
};

/** When to reconnect, in ms. Random, because a thousand clients at the same moment are like an attack. */
export function retryMs(answerer: Answerer): number {
  const { least, most } = rangesMs[answerer];
  return Math.round(least + Math.random() * (most - least));
}
