/** A room without connections, as the service describes it. */
export interface EmptyRoom {
  /** When it was last changed, or seen with a connection; null: unknown. In ISO 8601. */
  readonly updatedAt: string | null;
  /** Size of the stored document; null: unknown. */
  readonly bytes: number | null;
}

/** The part of a room in `GET /api/rooms` that is used here. */
export interface RoomSummary extends EmptyRoom {
  readonly id: string;
  readonly connections: number | null;
}

/** The rooms without connections, as far as they were read. */
export interface EmptyRooms {
  readonly rooms: ReadonlyMap<string, EmptyRoom>;
  /** Rooms in the pages that were read, with connections or without. */
  readonly read: number;
  /** How many rooms have an unknown number of connections. */
  readonly unknown: number;
  /** Where the next page begins; undefined: all were read. */
  readonly next: string | undefined;
}

/** The state after one more page. */
export function withPage<Before extends EmptyRooms>(
  before: Before,
  page: readonly RoomSummary[],
  next: string | undefined,
): Before {
  const rooms = new Map(before.rooms);
  for (const { id, connections, updatedAt, bytes } of page)
    if (connections === 0) rooms.set(id, { updatedAt, bytes });
  const unknown = page.filter(({ connections }) => connections === null).length;
  return {
    ...before,
    rooms,
    read: before.read + page.length,
    unknown: before.unknown + unknown,
    next,
  };
}

/** The query of the next page, of a header `Link: <?...>; rel="next"`; undefined: there is none. */
export const nextPage = (link: string | null): string | undefined =>
  /<\?([^>]*)>;\s*rel="?next/.exec(link ?? '')?.[1];
