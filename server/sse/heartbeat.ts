/** How often streams look after viewers that have drained without a word. */
export const tickMs = 1000;

/** How often a comment keeps a stream alive; a multiple of `tickMs`. */
export const heartbeatMs = 15_000;

/** A viewer whose bytes have been waiting for so long is gone, or as good as gone. */
export const maxPendingMs = 60_000;
