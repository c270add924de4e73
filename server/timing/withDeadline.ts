/**
 * Settles as the promise does, or as `onLate` does when the promise takes longer than `ms`. The work
 * behind the promise goes on; a failure after the deadline is ignored.
 */
export function withDeadline<Result, Late>(
  promise: Promise<Result>,
  ms: number,
  onLate: () => Late,
): Promise<Result | Late> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  }).then(onLate);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
