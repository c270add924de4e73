/**
 * Times of the agent in a host. On a busy machine no post may be given up: only a resync would find it. A
 * restarted service learns of an agent that has nothing to post by its next renewal.
 */
export const hostTimings = { deadlineMs: 60_000, renewalMs: 5_000, renewalJitterMs: 1_000 };
