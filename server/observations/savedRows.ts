import { z } from 'zod';
import type { RoomName } from '../../machines/ports.js';
import type { SeenConnection } from './seenConnections.js';
import type { SeenRoom } from './seenRooms.js';
import type { WatchedTime } from './watchedTimes.js';

/** The observations that are saved. */
export interface Saved {
  rooms: Iterable<[RoomName, SeenRoom]>;
  connections: Iterable<SeenConnection>;
  times: Iterable<WatchedTime>;
}

/** An item of DynamoDB has at most 400 KB. */
const maxBlockBytes = 200_000;

const ms = z.number().min(0).max(8.64e15);
const row = z.union([
  z.tuple([z.literal('room'), z.string(), ms, ms]),
  z.tuple([z.literal('connection'), z.string().min(1), z.string(), ms]),
  z.tuple([z.literal('time'), ms, ms, z.boolean()]),
]);
type Row = z.infer<typeof row>;

function* rowsOf({ rooms, connections, times }: Saved): Generator<Row> {
  for (const { fromMs, toMs, isComplete } of times) yield ['time', fromMs, toMs, isComplete];
  for (const [room, { firstMs, lastMs }] of rooms) yield ['room', room, firstMs, lastMs];
  for (const { id, room, atMs } of connections) yield ['connection', id, room, atMs];
}

/** The rows as JSON texts, each small enough for an item of the table. */
export function* toBlocks(saved: Saved): Generator<string> {
  let rows: string[] = [];
  let bytes = 0;
  for (const each of rowsOf(saved)) {
    const text = JSON.stringify(each);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > maxBlockBytes && rows.length > 0) {
      yield `[${rows.join(',')}]`;
      rows = [];
      bytes = Buffer.byteLength(text) + 1;
    }
    rows.push(text);
  }
  if (rows.length > 0) yield `[${rows.join(',')}]`;
}

/** Parses saved blocks. Skips invalid rows. */
export function fromBlocks(blocks: readonly string[]) {
  const rooms: [RoomName, SeenRoom][] = [];
  const connections: SeenConnection[] = [];
  const times: WatchedTime[] = [];
  for (const each of blocks.flatMap(parsed)) {
    const { data } = row.safeParse(each);
    if (data?.[0] === 'room') rooms.push([data[1], { firstMs: data[2], lastMs: data[3] }]);
    if (data?.[0] === 'connection') connections.push({ id: data[1], room: data[2], atMs: data[3] });
    if (data?.[0] === 'time') times.push({ fromMs: data[1], toMs: data[2], isComplete: data[3] });
  }
  return { rooms, connections, times };
}

function parsed(block: string): unknown[] {
  try {
    const rows: unknown = JSON.parse(block);
    return Array.isArray(rows) ? rows : [];
  } catch {
    return [];
  }
}
