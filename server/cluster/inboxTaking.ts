import type { InstanceId, Term } from '../../machines/ports.js';
import type { Answered, ClusterStore } from './clusterStore.js';

/** Takes the inbox for one leadership. Each taking confirms that the last entries arrived. */
export class InboxTaking {
  readonly #store: Pick<ClusterStore, 'takeInbox'>;
  readonly #lease: { readonly term: Term; readonly instance: InstanceId };
  #confirmed: string | undefined;

  constructor(
    store: Pick<ClusterStore, 'takeInbox'>,
    lease: { readonly term: Term; readonly instance: InstanceId },
  ) {
    this.#store = store;
    this.#lease = lease;
  }

  /** One at a time. */
  take(requestId: string, done: Answered<string[]>): void {
    const ask = { ...this.#lease, requestId, confirmed: this.#confirmed };
    this.#store.takeInbox(ask, (error, entries) => {
      if (entries && entries.length > 0) this.#confirmed = requestId;
      done(error, entries);
    });
  }
}
