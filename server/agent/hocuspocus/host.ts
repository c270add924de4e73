import type { Server } from 'node:http';
import type { SharedDocument } from '../followDocument.js';

/** What the extension uses of Hocuspocus 2 to 4. Their own types differ, and none is a dependency. */
export interface Host {
  readonly documents: ReadonlyMap<string, HostDocument>;
  /** Not if Hocuspocus runs without its `Server`. */
  readonly server?: { readonly httpServer: Server } | undefined;
  readonly debouncer?: { isDebounced(id: string): boolean };
}

/** A document of Hocuspocus: a `Y.Doc` that knows its connections. */
export interface HostDocument extends SharedDocument {
  readonly name: string;
  /** A `Map`, by WebSocket in 2 and 3, by `Connection` in 4. */
  readonly connections: unknown;
  readonly directConnectionsCount?: number;
  readonly isLoading?: boolean;
  /** Locked while the document is being stored. Not in 2. */
  readonly saveMutex?: { isLocked(): boolean };
  readonly awareness: NonNullable<SharedDocument['awareness']>;
  on(event: 'update', listener: (update: Uint8Array, origin: unknown) => void): unknown;
  on(event: 'destroy', listener: () => void): unknown;
}

/** Whether the Redis extension has brought a change from another server. */
export function isFromRedis(origin: unknown): boolean {
  if (origin === '__hocuspocus__redis__origin__') return true;
  return (origin as { source?: unknown } | null | undefined)?.source === 'redis';
}
