import { type BenchChild, startChild } from './children.js';
import type { ChurnOptions, ChurnTruth } from './churnProcess.js';
import { until } from './within.js';

/** Servers on which people come and go, from `begin` until `endChurn`. */
export type Churn = BenchChild<{ ids: string[] }>;

export const startChurn = (options: ChurnOptions): Promise<Churn> =>
  startChild<{ ids: string[] }>('./churnProcess', { options });

/** Ends it, and resolves with what is true from then on. Rejects if a post was refused. */
export async function endChurn(churn: Churn): Promise<ChurnTruth> {
  let last: ChurnTruth | undefined;
  await until('the last posts are answered', async () => {
    const { isIdle, ...truth } = await churn.ask<ChurnTruth & { isIdle: boolean }>('end');
    last = truth;
    return isIdle;
  });
  if (!last) throw new Error('nothing is known of the servers');
  if (last.refused > 0) throw new Error(`${last.refused} posts were refused`);
  return last;
}
