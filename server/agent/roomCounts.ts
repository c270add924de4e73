import type { Agent } from './agentTypes.js';
import { watchMap } from './watchMap.js';

/** Counts the connections of rooms, and tells the agent of each change in the same step. */
export class RoomCounts {
  readonly #counts = new Map<string, number>();
  readonly #agent: () => Pick<Agent, 'opened' | 'closed'>;

  constructor(agent: () => Pick<Agent, 'opened' | 'closed'>) {
    this.#agent = agent;
  }

  /**
   * Counts the entries of this map as connections of the room, from now on and those that it has.
   * `added` gets the key of each. Returns what ends it.
   */
  follow<K>(room: string, map: Map<K, unknown>, added?: (key: K) => void): () => void {
    let connections = 0;
    const changed = () => {
      for (; connections < map.size; connections += 1) this.#opened(room);
      for (; connections > map.size; connections -= 1) this.#closed(room);
    };
    for (const key of map.keys()) added?.(key);
    changed();
    return watchMap(map, (key) => {
      if (key !== undefined) added?.(key);
      changed();
    });
  }

  /** The rooms that have connections, and with 0 those of these documents that have none. */
  *withIdle(documents: Iterable<string>): Iterable<readonly [room: string, connections: number]> {
    yield* this.#counts;
    for (const room of documents) if (!this.#counts.has(room)) yield [room, 0];
  }

  #opened(room: string): void {
    this.#counts.set(room, (this.#counts.get(room) ?? 0) + 1);
    this.#agent().opened(room);
  }

  #closed(room: string): void {
    const left = (this.#counts.get(room) ?? 0) - 1;
    if (left > 0) this.#counts.set(room, left);
    else this.#counts.delete(room);
    this.#agent().closed(room);
  }
}
