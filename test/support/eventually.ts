const pauseMs = 10;

/** Retries until `attempt` does not throw or reject; at the deadline it throws the last error. */
export const eventually = async <T>(
  attempt: () => T | Promise<T>,
  { withinMs = 20_000 }: { withinMs?: number } = {},
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
