/**
 * Milliseconds since 1970, monotonic: unlike `Date.now()`, it does not jump when the system clock is
 * set. Pages and workers may have different origins: exchange ages between them, not these times.
 */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
