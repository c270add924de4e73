import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { isStorable } from '../store/store.js';
import { Lane } from './lane.js';

const maxPending = 10_000;
const retriesAtOnce = 100;

/**
 * Keeps a server's address in the `remoteDocs` of the rooms that it holds in memory, as the deployed
 * servers do (docs/migrate-from-symphony.md). Never throws.
 */
export class RoomHolder {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #address: string;
  readonly #lane = new Lane({ width: 8, maxWaiting: maxPending });
  /** Wishes that are not written yet: whether the room is held. */
  readonly #pending = new Map<string, boolean>();
  /** Rooms with a write in flight. One at a time, so that no write overtakes another. */
  readonly #writing = new Set<string>();

  constructor(options: { client: DynamoDBClient; table: string; address: string }) {
    this.#client = options.client;
    this.#table = options.table;
    this.#address = options.address;
  }

  hold(room: string): void {
    this.#wish(room, true);
  }

  release(room: string): void {
    this.#wish(room, false);
  }

  /** Retries failed writes, a limited number at a time. */
  retry(): void {
    for (const room of [...this.#pending.keys()].slice(0, retriesAtOnce)) void this.#settle(room);
  }

  /** Resolves when no write is in flight. */
  idle(): Promise<void> {
    return this.#lane.idle();
  }

  #wish(room: string, isHeld: boolean): void {
    const isFull = this.#pending.size >= maxPending && !this.#pending.has(room);
    if (!isStorable(room) || isFull) return;
    this.#pending.set(room, isHeld);
    void this.#settle(room);
  }

  async #settle(room: string): Promise<void> {
    if (this.#writing.has(room)) return;
    this.#writing.add(room);
    const pending = this.#pending;
    try {
      for (let wish = pending.get(room); wish !== undefined; wish = pending.get(room)) {
        const isHeld = wish;
        await this.#lane.run(() => this.#write(room, isHeld));
        if (pending.get(room) === isHeld) pending.delete(room);
      }
    } catch {
      // It stays pending.
    } finally {
      this.#writing.delete(room);
    }
  }

  /** DELETE of the last address removes the attribute, because a string set is never empty. The item stays. */
  async #write(room: string, isHeld: boolean): Promise<void> {
    const always = 'SET updatedAt = :now, createdAt = if_not_exists(createdAt, :now)';
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#table,
        Key: { id: { S: room } },
        UpdateExpression: `${isHeld ? 'ADD' : 'DELETE'} remoteDocs :address ${always}`,
        ExpressionAttributeValues: {
          ':address': { SS: [this.#address] },
          ':now': { S: new Date().toISOString() },
        },
      }),
    );
  }
}
