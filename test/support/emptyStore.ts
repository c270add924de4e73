import type { Store } from '../../server/store/store.js';

/** A metadata store with nothing in it, for tests of what needs none. */
export const emptyStore: Store = {
  rooms: {
    get: async () => undefined,
    page: async () => ({ items: [] }),
    addresses: async () => ({ items: [] }),
  },
  servers: { list: async () => [], put: async () => {}, remove: async () => {} },
  connections: {
    put: async () => {},
    since: async function* () {},
    newestFirst: async function* () {},
  },
  close: async () => {},
};
