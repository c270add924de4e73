import type { Documents } from '../documents/documents.js';
import type { RoomDocument } from '../documents/roomDocument.js';
import { apiError } from '../errors.js';

/** One-time work on the states of a room: nothing of it is kept. The states are given away. */
export class DocumentWork {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Several states of one document as one update. Rejects with `room_too_large`. */
  async merge(states: readonly Uint8Array[]): Promise<Uint8Array> {
    const [first, ...others] = states;
    if (first && others.length === 0) return first;
    return this.#with(states, (document) => document.encode());
  }

  /** The document of these states as JSON text; null: it is too large for that. */
  async toJson(states: readonly Uint8Array[]): Promise<string | null> {
    try {
      const { json } = await this.#with(states, (document) => document.toJson());
      return Buffer.from(json).toString();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'room_too_large') return null;
      throw error;
    }
  }

  async #with<Result>(
    states: readonly Uint8Array[],
    work: (document: RoomDocument) => Promise<Result>,
  ): Promise<Result> {
    const document = this.#documents.open('');
    try {
      const merged = await Promise.all(
        states.map((state, index) => document.merge(state, String(index))),
      );
      if (merged.some(({ type }) => type === 'tooLarge')) throw apiError('room_too_large');
      return await work(document);
    } finally {
      document.close();
    }
  }
}
