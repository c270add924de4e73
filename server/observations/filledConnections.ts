import type { ConnectionsTable, StoredConnection } from '../store/store.js';
import type { SeenConnections } from './seenConnections.js';

type ReadConnections = Pick<ConnectionsTable, 'since' | 'newestFirst'>;

/**
 * The connections of the store, or those that this service observed if the store has none of the last 48
 * hours. Never both: the same connection could be in both.
 */
export function filledConnections(
  table: ReadConnections,
  seen: () => Pick<SeenConnections, 'since' | 'newestFirst'>,
): ReadConnections {
  return {
    async *since(time) {
      if (yield* passOn(table.since(time))) return;
      if (await hasRows(table.newestFirst())) return;
      yield* seen().since(time.getTime());
    },
    async *newestFirst() {
      if (yield* passOn(table.newestFirst())) return;
      yield* seen().newestFirst();
    },
  };
}

/** Yields all pages. Returns whether there was any row. */
async function* passOn(
  pages: AsyncIterable<StoredConnection[]>,
): AsyncGenerator<StoredConnection[], boolean> {
  let isAny = false;
  for await (const page of pages) {
    isAny ||= page.length > 0;
    yield page;
  }
  return isAny;
}

async function hasRows(pages: AsyncIterable<StoredConnection[]>): Promise<boolean> {
  for await (const page of pages) if (page.length > 0) return true;
  return false;
}
