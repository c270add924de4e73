import type { ConnectionsTable, StoredConnection } from '../store/store.js';
import type { SeenConnections } from './seenConnections.js';

type ReadConnections = Pick<ConnectionsTable, 'since' | 'newestFirst'>;

/**
 * The connections of the store; where nobody has written any to it in 48 hours, those that this service
 * saw itself. Never both: a row of each may be the same connection.
 */
export function filledConnections(
  table: ReadConnections,
  seen: () => Pick<SeenConnections, 'since' | 'newestFirst'>,
): ReadConnections {
  return {
    async *since(time) {
      if (yield* passedOn(table.since(time))) return;
      if (await hasRows(table.newestFirst())) return;
      yield* seen().since(time.getTime());
    },
    async *newestFirst() {
      if (yield* passedOn(table.newestFirst())) return;
      yield* seen().newestFirst();
    },
  };
}

/** Answers whether there was any row. */
async function* passedOn(
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
