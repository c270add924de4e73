import type { RoomDocumentCommand } from '../../../machines/ports.js';

const text = new TextEncoder();
const bytes = new TextDecoder();

/**
 * What a document does with states and updates, as `server/rooms/roomContent.ts`: a union; updates are
 * held back until the first round has ended.
 */
export class Content {
  readonly updates = new Set<string>();
  isKnown = false;
  #held: string[] = [];
  #hasState = false;
  /** States that this round brought so far. */
  #states = 0;

  static encode(updates: readonly string[]): Uint8Array {
    return text.encode(updates.join(' '));
  }

  has(update: string): boolean {
    return this.updates.has(update);
  }

  reset(): void {
    this.updates.clear();
    this.#held = [];
    this.#hasState = false;
    this.#states = 0;
    this.isKnown = false;
  }

  /** How many states the round brought that has just ended. */
  takeStates(): number {
    const states = this.#states;
    this.#states = 0;
    return states;
  }

  /** Takes what the machine says; answers whether an update lacks what came before it. */
  take(command: RoomDocumentCommand): boolean {
    if (command.type === 'round.ended') return this.#endRound();
    const updates = bytes
      .decode(command.type === 'state.merged' ? command.state : command.update)
      .split(' ');
    if (command.type === 'state.merged') {
      this.#hasState = true;
      this.#states += 1;
      for (const update of updates) this.updates.add(update);
      return false;
    }
    if (this.isKnown) return this.#apply(updates);
    this.#held.push(...updates);
    return false;
  }

  #endRound(): boolean {
    this.isKnown ||= this.#hasState;
    if (!this.isKnown) {
      this.#held = [];
      return false;
    }
    return this.#apply(this.#held.splice(0));
  }

  /** Each update follows the one that was made before it. */
  #apply(updates: readonly string[]): boolean {
    let hasGap = false;
    for (const update of updates) {
      const before = Number(update.slice(1)) - 1;
      if (before >= 0 && !this.updates.has(`u${before}`)) hasGap = true;
      this.updates.add(update);
    }
    return hasGap;
  }
}
