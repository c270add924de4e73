const pauseMs = 10;

/**
 * Retries until `attempt` neither throws nor rejects. At the deadline it throws the last error. The deadline
 * is for a test that fails: no test may depend on it.
 */
export const eventually = async <T>(
  attempt: () => T | Promise<T>,
  { withinMs = 60_000 }: { withinMs?: number } = {},
): Promise<T> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
};
