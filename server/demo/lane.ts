type Task = () => Promise<void>;

/** Tasks of which only so many run, and only so many wait. */
export type Lane = {
  /** Rejects as the task does, or at once when too many wait. */
  run(task: Task): Promise<void>;
  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void>;
};

/** Makes a lane for `width` tasks at a time. */
export const createLane = ({ width, maxWaiting }: { width: number; maxWaiting: number }): Lane => {
  const waiting: (() => void)[] = [];
  let onIdle: (() => void)[] = [];
  let running = 0;

  const ended = () => {
    running -= 1;
    waiting.shift()?.();
    if (running > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  };
  const run = (task: Task): Promise<void> => {
    const begin = () => {
      running += 1;
      return task().finally(ended);
    };
    if (running < width) return begin();
    if (waiting.length >= maxWaiting) return Promise.reject(new Error('too many are waiting'));
    return new Promise((resolve) => waiting.push(() => resolve(begin())));
  };
  const idle = (): Promise<void> =>
    running === 0 ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve));
  return { run, idle };
};
