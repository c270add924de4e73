import type { Logger } from 'pino';
import { withDeadline } from '../timing/withDeadline.js';
import { type Store, StoreError } from './store.js';

/** How long a failed opening is not tried again, and how long a caller waits for one under way. */
const reopenMs = 5000;
const patienceMs = 3000;

/**
 * A store that is opened beside the running service, and again after it could not be: until it is
 * open every method rejects with `StoreError`, so that nothing else waits for it. `hasObservations`:
 * whether what it opens has a table for them.
 */
export function lateStore(
  open: () => Promise<Store>,
  log: Logger,
  { hasObservations = false } = {},
): Store {
  let opening: Promise<Store> | undefined;
  let isClosed = false;

  function begin(): Promise<Store> {
    const attempt = open();
    attempt.catch((error: unknown) => {
      log.error({ err: error }, 'the metadata store could not be opened');
      const forget = () => {
        opening = undefined;
      };
      setTimeout(forget, reopenMs).unref();
    });
    return attempt;
  }

  async function opened(): Promise<Store> {
    if (isClosed) throw new StoreError('the metadata store is closed');
    opening ??= begin();
    return waitFor(opening);
  }

  void opened().catch(() => {});
  return {
    rooms: {
      get: async (room) => (await opened()).rooms.get(room),
      page: async (query) => (await opened()).rooms.page(query),
      addresses: async (query) => (await opened()).rooms.addresses(query),
    },
    servers: {
      list: async () => (await opened()).servers.list(),
      put: async (item) => (await opened()).servers.put(item),
      remove: async (server) => (await opened()).servers.remove(server),
    },
    connections: {
      put: async (connection) => (await opened()).connections.put(connection),
      since: async function* (time) {
        yield* (await opened()).connections.since(time);
      },
      newestFirst: async function* () {
        yield* (await opened()).connections.newestFirst();
      },
    },
    ...(hasObservations && {
      observations: {
        load: async () => (await opened()).observations?.load() ?? [],
        save: async (blocks) => (await opened()).observations?.save(blocks),
      },
    }),
    close: async () => {
      isClosed = true;
      const store = await opening?.catch(() => undefined);
      await store?.close();
    },
  };
}

async function waitFor(opening: Promise<Store>): Promise<Store> {
  try {
    return await withDeadline(opening, patienceMs, () => {
      throw new StoreError('not open yet');
    });
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('the metadata store could not be opened', { cause: error });
  }
}
