import { BoundedMap } from '../../boundedMap.js';
import type { Position } from '../../fleet/changesHistory.js';
import { maxFrames, Ring } from '../../fleet/ring.js';

/** The newest frames by event id. Ids of several terms may follow each other. */
export class RelayHistory {
  readonly #ring = new Ring();
  /** Numbers of the frames by event id: those that the ring can hold, and the one before. */
  readonly #numbers = new BoundedMap<string, number>(maxFrames + 1);
  #number = 0;

  /** Keeps the frame that leads to a position. */
  push(frame: Buffer, { id }: Position): void {
    this.#number += 1;
    this.#numbers.set(id, this.#number);
    this.#ring.push(frame);
  }

  /** Begins with a snapshot: nobody can resume from before. */
  restart({ id }: Position): void {
    this.#number += 1;
    this.#numbers.clear();
    this.#numbers.set(id, this.#number);
    this.#ring.clear(this.#number + 1);
  }

  /** The frames after an event id; undefined: they are not kept, or the id is unknown. */
  since(eventId: string | undefined): Buffer[] | undefined {
    const number = eventId === undefined ? undefined : this.#numbers.get(eventId);
    return number === undefined ? undefined : this.#ring.since(number);
  }
}
