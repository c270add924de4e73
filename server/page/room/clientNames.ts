import type { RoomPeople } from '../../wire/awareness.js';
import { BoundedMap } from '../model/boundedMap.js';
import { userOf } from './userOf.js';

const maxNames = 2000;

/** The names of Yjs clients, also of those that have left: the log still has their updates. */
export class ClientNames {
  readonly #names = new BoundedMap<number, string>(maxNames);

  /** Notes the names that people announce. */
  learn({ clients }: Pick<RoomPeople, 'clients'>): void {
    for (const { client, state } of clients) {
      const { name } = userOf(state);
      if (name !== undefined) this.#names.set(client, name);
    }
  }

  /** Undefined: it has not announced a name. */
  of(client: number): string | undefined {
    return this.#names.get(client);
  }
}
