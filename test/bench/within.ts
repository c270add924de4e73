/** Resolves as a promise does, or rejects when it has not settled in time; `what` is what is waited for. */
export async function within<Result>(
  what: string,
  promise: Promise<Result>,
  ms: number,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms / 1000} s: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const deadlineMs = 60_000;

/** Waits until a condition holds; rejects when it does not hold within a minute, or does not answer. */
export async function until(
  what: string,
  isDone: () => boolean | Promise<boolean>,
  waitMs = 2,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await within(what, Promise.resolve(isDone()), deadlineMs))) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
