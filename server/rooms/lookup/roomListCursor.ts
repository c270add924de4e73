import { InvalidCursor } from '../../store/store.js';

/** Where the next page of the room list begins. */
export type RoomListCursor =
  /** In the store, after the store's own cursor; undefined: at the beginning. */
  | { phase: 'stored'; after: string | undefined }
  /** Among the live rooms, sorted by key; undefined: at the first. */
  | { phase: 'live'; after: string | undefined }
  /** Among the live rooms, sorted by connections and then by key. */
  | { phase: 'busiest'; after: { connections: number; key: string } | undefined };

/** The cursor as text. At most 4,000 characters, to fit into a request line. */
export function writeCursor(cursor: RoomListCursor): string {
  const { phase, after } = cursor;
  if (after === undefined) return phase;
  const text = typeof after === 'string' ? after : `${after.connections} ${after.key}`;
  return `${phase}.${encode(text)}`;
}

/** Parses a cursor that `writeCursor` wrote for a list in this order. Throws `InvalidCursor` for anything else. */
export function readCursor(text: string | undefined, sort: 'name' | 'connections'): RoomListCursor {
  if (text === undefined)
    return { phase: sort === 'connections' ? 'busiest' : 'stored', after: undefined };
  const cursor = parse(text);
  if (
    cursor &&
    writeCursor(cursor) === text &&
    (cursor.phase === 'busiest') === (sort === 'connections')
  )
    return cursor;
  throw new InvalidCursor('"cursor" is not one of this list');
}

function parse(text: string): RoomListCursor | undefined {
  const [, phase, encoded] = /^(stored|live|busiest)(?:\.([\w-]*))?$/.exec(text) ?? [];
  const after = encoded === undefined ? undefined : decode(encoded);
  if (phase === 'stored' || phase === 'live') return { phase, after };
  if (phase !== 'busiest') return undefined;
  if (after === undefined) return { phase, after };
  const [, connections, key] = /^(\d{1,15}) (.*)$/s.exec(after) ?? [];
  if (connections === undefined || key === undefined) return undefined;
  return { phase, after: { connections: Number(connections), key } };
}

/** In UTF-16, because the name of a live room may contain half a surrogate pair, which has no UTF-8. */
function encode(text: string): string {
  return Buffer.from(text, 'utf16le').toString('base64url');
}

function decode(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf16le');
}
