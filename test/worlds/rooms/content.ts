import type { RoomDocumentCommand } from '../../../machines/ports.js';

type Told = 'update.refused' | 'changes.undelivered' | 'changes.delivered';

/** As `server/rooms/watching/undeliveredChanges.ts` keeps it. */
const keptMs = 3000;

/** A state that was cut off on its way. */
export const garbled = '?';

const text = new TextEncoder();
const bytes = new TextDecoder();

/**
 * What a document does with states and updates, as `server/rooms/watching/roomContent.ts`: a union; updates are
 * held back until the first round has ended; what the channel did not bring is said once a round is judged.
 */
export class Content {
  readonly updates = new Set<string>();
  isKnown = false;
  readonly #now: () => number;
  #held: string[] = [];
  /** States that this round brought so far, and what came in place of one. */
  #round = { read: 0, unreadable: 0 };
  /** Servers of this round, and of the one before. */
  #servers = new Set<string>();
  #before = new Set<string>();
  /** What rounds found and the channel has not brought, with when it was found. */
  readonly #unheard = new Map<string, number>();
  #isHeard = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  static encode(updates: readonly string[]): Uint8Array {
    return text.encode(updates.join(' '));
  }

  has(update: string): boolean {
    return this.updates.has(update);
  }

  reset(): void {
    this.updates.clear();
    this.#held = [];
    this.#round = { read: 0, unreadable: 0 };
    this.#servers = new Set();
    this.#before = new Set();
    this.#unheard.clear();
    this.isKnown = false;
  }

  /** How many states the round brought that has just ended, and how many could not be read. */
  takeRound(): { read: number; unreadable: number } {
    const round = this.#round;
    this.#round = { read: 0, unreadable: 0 };
    return round;
  }

  /** Takes what the machine says; answers what the document says to that. */
  take(command: RoomDocumentCommand): Told[] {
    switch (command.type) {
      case 'channel.begun':
        this.#unheard.clear();
        this.#isHeard = false;
        return [];
      case 'round.ended':
        return this.#endRound(command.isJudged);
      case 'state.merged':
        if (bytes.decode(command.state) === garbled) this.#round.unreadable += 1;
        else this.#merge(command.server, bytes.decode(command.state).split(' '));
        return [];
      case 'update.applied':
        return this.#apply(bytes.decode(command.update).split(' '));
    }
  }

  #merge(server: string, updates: readonly string[]): void {
    this.#servers.add(server);
    this.#round.read += 1;
    for (const update of updates) {
      const isNews = this.isKnown && !this.updates.has(update) && this.#before.has(server);
      if (isNews) this.#unheard.set(update, this.#now());
      this.updates.add(update);
    }
  }

  #endRound(isJudged: boolean): Told[] {
    this.isKnown ||= this.#servers.size > 0;
    this.#before = this.#servers;
    this.#servers = new Set();
    const told = this.#apply(this.#held.splice(0));
    for (const [update, sinceMs] of this.#unheard)
      if (!isJudged || this.#now() - sinceMs >= keptMs) this.#unheard.delete(update);
    if (this.#unheard.size === 0) return told;
    this.#isHeard = false;
    return [...told, 'changes.undelivered'];
  }

  /** Each update follows the one that was made before it. */
  #apply(updates: readonly string[]): Told[] {
    if (!this.isKnown) {
      this.#held.push(...updates);
      return [];
    }
    const told: Told[] = [];
    for (const update of updates) {
      const before = Number(update.slice(1)) - 1;
      if (before >= 0 && !this.updates.has(`u${before}`)) told.push('update.refused');
      const isHeard = this.#unheard.delete(update) || !this.updates.has(update);
      this.updates.add(update);
      if (!isHeard || this.#isHeard || this.#unheard.size > 0) continue;
      this.#isHeard = true;
      told.push('changes.delivered');
    }
    return told;
  }
}
