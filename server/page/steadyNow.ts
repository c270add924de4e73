/**
 * Milliseconds since 1970 by the clock as it was when this page, or worker, began, plus the time that
 * has passed since. Unlike `Date.now()` it does not jump when somebody sets the machine's clock.
 * Another page or worker may have begun under another clock: send ages between them, not these times.
 */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
