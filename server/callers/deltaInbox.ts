import type { Delta } from '../../machines/tally.js';
import { Pace } from '../sse/pace.js';

/** A transition of the machine, and waking up for it, cost as much as ten deltas in one that is made anyway. */
const intervalMs = 5;

/** Gathers the deltas of a moment, so that the machine gets them as one event; the first ones go at once. */
export class DeltaInbox {
  readonly #deliver: (deltas: readonly Delta[]) => void;
  readonly #pace = new Pace(
    () => this.#flush(),
    () => intervalMs,
  );
  #gathered: Delta[] = [];

  constructor(deliver: (deltas: readonly Delta[]) => void) {
    this.#deliver = deliver;
  }

  put(deltas: readonly Delta[]): void {
    for (const delta of deltas) this.#gathered.push(delta);
    if (deltas.length > 0) this.#pace.touch();
  }

  close(): void {
    this.#pace.close();
  }

  #flush(): void {
    const deltas = this.#gathered;
    this.#gathered = [];
    this.#deliver(deltas);
  }
}
