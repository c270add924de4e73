import { type DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { isStorable } from '../store/store.js';
import { createLane } from './lane.js';

/** Keeps a server's address in the `remoteDocs` of the rooms that it holds in memory. Never throws. */
export type RoomHolder = {
  hold(room: string): void;
  release(room: string): void;
  /** Tries again what the store did not take, a part of it at a time. */
  retry(): void;
  /** Resolves when no write is under way. */
  idle(): Promise<void>;
};

const maxPending = 10_000;
const retriesAtOnce = 100;

/** Writes the rooms table as the deployed servers do: contract.md, section 3. */
export const createRoomHolder = ({
  client,
  table,
  address,
}: {
  client: DynamoDBClient;
  table: string;
  address: string;
}): RoomHolder => {
  const lane = createLane({ width: 8, maxWaiting: maxPending });
  // What the table does not say yet. A room has one write at a time, so that none overtakes another.
  const pending = new Map<string, boolean>();
  const writing = new Set<string>();

  // DELETE of the last address takes the attribute away: a string set is never empty. The item stays.
  const write = async (room: string, isHeld: boolean): Promise<void> => {
    const always = 'SET updatedAt = :now, createdAt = if_not_exists(createdAt, :now)';
    await client.send(
      new UpdateItemCommand({
        TableName: table,
        Key: { id: { S: room } },
        UpdateExpression: `${isHeld ? 'ADD' : 'DELETE'} remoteDocs :address ${always}`,
        ExpressionAttributeValues: {
          ':address': { SS: [address] },
          ':now': { S: new Date().toISOString() },
        },
      }),
    );
  };
  const settle = async (room: string): Promise<void> => {
    if (writing.has(room)) return;
    writing.add(room);
    try {
      for (let wish = pending.get(room); wish !== undefined; wish = pending.get(room)) {
        const isHeld = wish;
        await lane.run(() => write(room, isHeld));
        if (pending.get(room) === isHeld) pending.delete(room);
      }
    } catch {
      // It stays pending.
    } finally {
      writing.delete(room);
    }
  };
  const wish = (room: string, isHeld: boolean) => {
    if (!isStorable(room) || (pending.size >= maxPending && !pending.has(room))) return;
    pending.set(room, isHeld);
    void settle(room);
  };
  return {
    hold: (room) => wish(room, true),
    release: (room) => wish(room, false),
    retry: () => {
      for (const room of [...pending.keys()].slice(0, retriesAtOnce)) void settle(room);
    },
    idle: lane.idle,
  };
};
