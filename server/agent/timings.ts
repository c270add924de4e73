/** Times and limits of the agent, in milliseconds. Tests shorten them. */
export const defaultTimings = {
  /** Deadline of a post or a query. */
  deadlineMs: 5_000,
  /** How long deltas and content are gathered for one post. */
  gatherMs: 20,
  /** Time between renewals, varied by `renewalJitterMs` in both directions. */
  renewalMs: 60_000,
  renewalJitterMs: 10_000,
  /** Retries of a query that was not answered: the first and the longest pause. */
  firstRetryMs: 1_000,
  maxRetryMs: 60_000,
  /** At most one start-up query in this time after a refused post. */
  askAgainMs: 2_000,
  /** A list of watched rooms ends when the dashboard has not repeated it for this time. */
  watchedMs: 90_000,
  /** Deadline for the answer to a request of the dashboard, with its body. */
  answerMs: 60_000,
  /** How long an answer may wait for a client that does not read, or a request for the rest of its body. */
  stalledMs: 5_000,
  /** How long `close` waits for its last posts. */
  flushMs: 1_000,
};

export type Timings = typeof defaultTimings;
