/**
 * Stores that this process began to open. A service that stops does not wait long for its store, which
 * would fail if it opened after the last test of a file: its modules are gone then.
 */
export const storeOpenings: Promise<unknown>[] = [];
