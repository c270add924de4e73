/** Longer while it takes longer: a failed `expect` costs a millisecond. */
const pauseMs = (waitedMs: number) => Math.min(100, Math.max(5, waitedMs / 10));

/**
 * Retries until `attempt` neither throws nor rejects. At the deadline it throws the last error. The deadline
 * is for a test that fails: no test may depend on it.
 */
export const eventually = async <T>(
  attempt: () => T | Promise<T>,
  { withinMs = 60_000 }: { withinMs?: number } = {},
): Promise<T> => {
  const beganMs = performance.now();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const waitedMs = performance.now() - beganMs;
      if (waitedMs >= withinMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs(waitedMs)));
    }
  }
};
