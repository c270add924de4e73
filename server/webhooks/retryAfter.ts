/** A receiver that asks for more is asked again after this time. Events wait for an hour, so each gets a second try. */
export const maxRetryAfterMs = 30 * 60_000;

/** The three forms of RFC 9110, section 5.6.7. `Date.parse` alone takes nearly anything. */
const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? [\w -]+ \d\d:\d\d:\d\d (?:GMT|\d{4})$/;

/** Headers of one answer. */
export interface RetryHeaders {
  retryAfter?: string | undefined;
  /** The header `Date`, because the clocks may differ. */
  date?: string | undefined;
}

/**
 * How long a receiver asks to wait, at most half an hour: the header `Retry-After` (RFC 9110, section 10.2.3), seconds
 * or a date. Undefined: it does not say, or not clearly.
 */
export function retryAfterMs(
  { retryAfter = '', date = '' }: RetryHeaders,
  nowMs: number,
): number | undefined {
  const ms = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : timeOf(retryAfter) - (timeOf(date) || nowMs);
  return Number.isNaN(ms) ? undefined : Math.min(maxRetryAfterMs, Math.max(0, ms));
}

/** NaN: no date. All are in GMT, although one form does not say so. */
function timeOf(text: string): number {
  return httpDate.test(text) ? Date.parse(`${text.replace(/ GMT$/, '')} GMT`) : Number.NaN;
}
