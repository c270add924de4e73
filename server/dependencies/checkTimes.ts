/** How something outside is asked whether it answers. */
export interface CheckTimes {
  /** From an answer to the next question. */
  readonly everyMs: number;
  /** How long it has for the answer. */
  readonly deadlineMs: number;
}

/**
 * Together at most 7.5 s, so that the page, which asks every 2 s, shows a change within 10 s.
 * `test/unit/dependencies/inTime.test.ts` adds them up.
 */
export const checkTimes = {
  table: { everyMs: 4000, deadlineMs: 3000 },
  /** Longer than the two tries of a name server. */
  dns: { everyMs: 4000, deadlineMs: 3500 },
  /** It may need several requests for its answer. */
  ecs: { everyMs: 2500, deadlineMs: 5000 },
} as const satisfies Record<string, CheckTimes>;
