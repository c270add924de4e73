import type { ServerView } from '../wire/serverView.js';

/** States that every server passes through in an activation: they are no sign of health or trouble. */
const transient = new Set(['unknown', 'silent', 'silencing', 'activating']);

/** The condition of a server that is well. */
export const healthy = 'live';

/** `live`, or what is wrong with a server; undefined: its state is transient. */
export function conditionOf({ state, overLimit }: ServerView): string | undefined {
  if (transient.has(state)) return undefined;
  return overLimit ? `${state}, over the limit` : state;
}
