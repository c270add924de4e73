import type { Logger } from 'pino';
import { causeOf } from '../causeOf.js';
import type { Dependency } from '../dependencies/dependencies.js';
import { withDeadline } from '../timing/withDeadline.js';
import { type Store, StoreError } from './store.js';
import { storeBehind } from './storeBehind.js';

/** Pause after a failed opening, and how long a request waits for the opening. */
export const reopenMs = 5000;
const waitMs = 3000;

/** Options of a store that opens late. */
export interface LateStoreOptions {
  /** Whether the store has a table for observations. */
  hasObservations?: boolean;
  /** Is told whether the store could be opened. */
  dependency?: Dependency | undefined;
}

/**
 * A store that opens while the service already runs, and retries every 5 s on failure. Until it is open,
 * methods reject with `StoreError` after 3 s.
 */
export function lateStore(
  open: () => Promise<Store>,
  log: Logger,
  { hasObservations = false, dependency }: LateStoreOptions = {},
): Store {
  let opening: Promise<Store> | undefined;
  let isClosed = false;
  /** Whether the last attempt failed, which was logged. */
  let isFailing = false;

  function begin(): Promise<Store> {
    const attempt = open();
    attempt.then(
      () => {
        isFailing = false;
        dependency?.answered();
      },
      (error: unknown) => {
        if (!isFailing) log.error({ err: error }, 'the metadata store could not be opened');
        isFailing = true;
        dependency?.failed(causeOf(error));
        setTimeout(beginAgain, reopenMs).unref();
      },
    );
    return attempt;
  }

  function beginAgain(): void {
    opening = isClosed ? undefined : begin();
  }

  async function opened(): Promise<Store> {
    if (isClosed) throw new StoreError('the metadata store is closed');
    opening ??= begin();
    return waitFor(opening);
  }

  void opened().catch(() => {});
  return {
    ...storeBehind(opened),
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
    return await withDeadline(opening, waitMs, () => {
      throw new StoreError('not open yet');
    });
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('the metadata store could not be opened', { cause: error });
  }
}
