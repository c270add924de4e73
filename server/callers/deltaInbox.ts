import type { Delta } from '../../machines/tally.js';

/** Gathers the deltas of one turn of the event loop, so that the machine gets them as one event. */
export class DeltaInbox {
  readonly #deliver: (deltas: readonly Delta[]) => void;
  #gathered: Delta[] = [];
  #delivery: NodeJS.Immediate | undefined;

  constructor(deliver: (deltas: readonly Delta[]) => void) {
    this.#deliver = deliver;
  }

  put(delta: Delta): void {
    this.#gathered.push(delta);
    this.#delivery ??= setImmediate(() => this.#flush());
  }

  close(): void {
    clearImmediate(this.#delivery);
  }

  #flush(): void {
    const deltas = this.#gathered;
    this.#gathered = [];
    this.#delivery = undefined;
    this.#deliver(deltas);
  }
}
