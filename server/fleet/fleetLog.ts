import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ServerView } from '../wire/serverView.js';
import type { ServiceState } from '../wire/serviceState.js';
import { conditionOf, healthy } from './serverCondition.js';

const deafMessage =
  'pub-sub server answers, but its posts do not reach this service at the callback address: set PUBLIC_URL to an address that the server can reach, and run only one instance of this service';

/** What the log needs to know of the service. */
export interface FleetLogNeeds {
  log: Logger;
  /** Whether the configuration names a server. */
  isConfigured: (server: string) => boolean;
  /** Called when the activation has changed. */
  state: () => ServiceState;
}

/**
 * Logs the fleet: one line when the activation changes, and one when a server is found, fails, recovers
 * or is gone.
 */
export class FleetLog {
  readonly #needs: FleetLogNeeds;
  /** Condition of each server when it was last in a state that is not transient. */
  readonly #conditions = new Map<string, string>();

  constructor(needs: FleetLogNeeds) {
    this.#needs = needs;
  }

  /** Logs every change of the activation from now on. */
  follow(actor: ActivationActor): void {
    let before = '';
    actor.subscribe({
      next: ({ value }) => {
        const state = typeof value === 'string' ? value : 'active';
        if (state === before) return;
        before = state;
        this.#logState(this.#needs.state());
      },
      // Without this handler XState would throw the error at the process. The service handles it.
      error: () => {},
    });
  }

  /** Logs servers that changed, if there is anything to say of them. */
  noteServers(servers: readonly ServerView[]): void {
    for (const server of servers) this.#noteServer(server);
  }

  #logState({ state, complete, reason, viewers, servers, live }: ServiceState): void {
    const level = state === 'active' ? 'info' : 'debug';
    const facts = { state, complete, reason, viewers, servers, live };
    this.#needs.log[level](facts, 'activation changed');
  }

  #noteServer(view: ServerView): void {
    const { id, state, overLimit, lastFailure, callback } = view;
    const isConfigured = this.#needs.isConfigured(id);
    const before = this.#conditions.get(id);
    const condition = conditionOf(view) ?? before ?? healthy;
    if (state === 'gone') this.#conditions.delete(id);
    else this.#conditions.set(id, condition);
    const isFound = before === undefined && !isConfigured;
    if (!isFound && condition === (before ?? healthy)) return;
    const level = condition === healthy || state === 'gone' ? 'info' : 'warn';
    const facts = { server: id, state, overLimit, lastFailure, callback };
    const message = state === 'deaf' ? deafMessage : 'pub-sub server changed';
    this.#needs.log[level]({ ...facts, ...(isFound && { isNew: true }) }, message);
  }
}
