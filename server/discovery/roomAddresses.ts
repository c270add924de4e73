import { setTimeout as pause } from 'node:timers/promises';
import type { ServerId } from '../../machines/ports.js';
import { isAddress, parseServerId, toServerId } from '../addresses.js';
import { InvalidCursor, type RoomsTable } from '../store/store.js';
import type { DiscoverySource } from './discoverySource.js';

/** How fast the rooms table is read. */
export interface ScanPace {
  maxReadPerPage: number;
  pagesPerRound: number;
  pauseMs: number;
  /** No page is started after this time, so a round ends before its deadline. */
  roundMs: number;
}

const defaultPace: ScanPace = {
  maxReadPerPage: 1000,
  pagesPerRound: 10,
  pauseMs: 100,
  roundMs: 2500,
};
/** One more than discovery takes, so it can report that there are too many. */
const maxServers = 5001;

/**
 * The addresses in the items of the rooms table. Each round reads a part of the table; a server is named
 * until a whole pass has not found it.
 */
export function roomAddresses(
  table: RoomsTable,
  pubSubPort: number,
  pace: Partial<ScanPace> = {},
): DiscoverySource {
  const { maxReadPerPage, pagesPerRound, pauseMs, roundMs } = { ...defaultPace, ...pace };
  let lastPass = new Set<ServerId>();
  let thisPass = new Set<ServerId>();
  let cursor: string | undefined;

  async function readPage(signal: AbortSignal): Promise<void> {
    const query = { maxRead: maxReadPerPage, ...(cursor !== undefined && { cursor }) };
    const page = await table.addresses(query).catch((error: unknown) => {
      // The table was recreated: this pass goes on at its beginning.
      if (error instanceof InvalidCursor) cursor = undefined;
      throw error;
    });
    // After an abort, the next round may be reading the same page.
    signal.throwIfAborted();
    for (const address of page.items) {
      const server = serverAt(address, pubSubPort);
      if (server !== undefined && thisPass.size < maxServers) thisPass.add(server);
    }
    cursor = page.cursor;
    if (cursor !== undefined) return;
    lastPass = thisPass;
    thisPass = new Set();
  }

  return {
    name: 'rooms',
    mayBeStale: true,
    discover: async (signal) => {
      const until = performance.now() + roundMs;
      for (let pages = 1; ; pages += 1) {
        await readPage(signal);
        const isOver = cursor === undefined || pages >= pagesPerRound || performance.now() > until;
        if (isOver) return [...new Set([...lastPass, ...thisPass])];
        await pause(pauseMs, undefined, { signal });
      }
    },
  };
}

/** The server at an address of the table, which may lack the port; undefined for any other text. */
export function serverAt(text: string, pubSubPort: number): ServerId | undefined {
  try {
    if (isAddress(text)) return toServerId(text, pubSubPort);
    const server = parseServerId(text);
    return isAddress(server.slice(0, server.lastIndexOf(':'))) ? server : undefined;
  } catch {
    return undefined;
  }
}
