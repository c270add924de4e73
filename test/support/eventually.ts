/** Longer while it takes longer: a failed `expect` costs a millisecond. */
const pauseMs = (waitedMs: number) => Math.min(100, Math.max(5, waitedMs / 10));

/** Looks that a quick machine takes before the deadline. A busy one takes as many, in more time. */
const fairLooks = 600;
/** Less than Jest's timeout, so that the last error is shown. */
const longestMs = 240_000;

/** Tells a machine that had no time from a condition that never held. */
function withEffort(error: unknown, waitedMs: number, looks: number): unknown {
  if (!(error instanceof Error)) return error;
  const { message, stack = '' } = error;
  const said = `${message}\n\nThis was the last of ${looks} looks in ${Math.round(waitedMs / 1000)} s.`;
  error.message = said;
  // What Jest prints.
  error.stack = stack.replace(message, () => said);
  return error;
}

/**
 * Retries until `attempt` neither throws nor rejects. At the deadline it throws the last error. The deadline
 * is for a test that fails: no test may depend on it. By default it is a minute, or more on a busy machine.
 */
export const eventually = async <T>(
  attempt: () => T | Promise<T>,
  { withinMs }: { withinMs?: number } = {},
): Promise<T> => {
  const beganMs = performance.now();
  const isOver = (waitedMs: number, looks: number) =>
    withinMs === undefined
      ? waitedMs >= longestMs || (waitedMs >= 60_000 && looks >= fairLooks)
      : waitedMs >= withinMs;
  for (let looks = 1; ; looks += 1) {
    try {
      return await attempt();
    } catch (error) {
      const waitedMs = performance.now() - beganMs;
      if (isOver(waitedMs, looks)) throw withEffort(error, waitedMs, looks);
      await new Promise((resolve) => setTimeout(resolve, pauseMs(waitedMs)));
    }
  }
};
