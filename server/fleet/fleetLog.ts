import type { Logger } from 'pino';
import type { ServerView } from '../wire/serverView.js';
import type { ServiceState } from '../wire/serviceState.js';

/** States in which every server is at some time of an activation: they say nothing for it or against it. */
const passing = new Set(['unknown', 'silent', 'silencing', 'activating']);
const well = 'live';
const deaf =
  'pub-sub server answers, but its posts do not reach this service at the callback address: set PUBLIC_URL to one that the server can reach, and run one instance of this service only';

/**
 * What the log says of the fleet: one line for an activation, and one for a server when it was found,
 * when something is wrong with it, when it is well again, and when it has gone.
 */
export class FleetLog {
  readonly #log: Logger;
  /** How each server was when it was last neither told something nor asked for the first time. */
  readonly #conditions = new Map<string, string>();
  #state = '';

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Takes a server that has changed for viewers. `isExpected`: the configuration names it. */
  noteServer(view: ServerView, isExpected: boolean): void {
    const before = this.#conditions.get(view.id);
    const condition = conditionOf(view) ?? before ?? well;
    const isNews = condition !== (before ?? (isExpected ? well : ''));
    if (view.state === 'gone') this.#conditions.delete(view.id);
    else this.#conditions.set(view.id, condition);
    if (!isNews) return;
    const { id: server, state, overLimit, lastFailure, callback } = view;
    const level = condition === well || state === 'gone' ? 'info' : 'warn';
    const found = before === undefined && !isExpected && { isNew: true };
    const facts = { server, state, overLimit, lastFailure, callback, ...found };
    this.#log[level](facts, state === 'deaf' ? deaf : 'pub-sub server changed');
  }

  /** Takes the state of the service. */
  noteState({ state, complete, reason, viewers, servers, live }: ServiceState): void {
    if (state === this.#state) return;
    this.#state = state;
    const level = state === 'active' ? 'info' : 'debug';
    this.#log[level]({ state, complete, reason, viewers, servers, live }, 'activation changed');
  }
}

/** Undefined: nothing new is known of it. */
function conditionOf({ state, overLimit }: ServerView): string | undefined {
  if (passing.has(state)) return undefined;
  return overLimit ? `${state}, over the limit` : state;
}
