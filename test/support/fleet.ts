/** Real pub-sub servers for the tests of one file, each in a process of its own. */

import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { type Editor, joinRoom } from '../../server/demo/editors.js';
import { type BareConnection, openConnection } from '../../server/demo/openConnection.js';
import { type ServerProcess, startServerProcess } from '../../server/demo/pubSubFleet.js';
import type { EventStream } from './eventStream.js';
import { eventually } from './eventually.js';
import { owns, untilServicesEnded, visits } from './stage.js';

/** Starts servers before the tests of a file and ends them after. The array is filled before the first test. */
export function sharedFleet(size: number): ServerProcess[] {
  const fleet: ServerProcess[] = [];
  beforeAll(async () => {
    fleet.push(...(await Promise.all(Array.from({ length: size }, () => startServerProcess()))));
  });
  // The service of an earlier test could silence a server after that of the next test has activated it.
  beforeEach(untilServicesEnded);
  afterAll(async () => {
    await Promise.all(fleet.map((server) => server.kill()));
  });
  return fleet;
}

/** A real server for one test. */
export const startReal = async (options: Parameters<typeof startServerProcess>[0] = {}) =>
  owns(await startServerProcess(options), (server) => server.kill());

/** The item at this index. */
export function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

/** A bare WebSocket connection to a room. The name goes into the path unchanged. */
export const connectTo = async (server: { url: string }, room: string): Promise<BareConnection> =>
  visits(await openConnection(server.url, room), (connection) => connection.terminate());

/** A y-websocket editor in a room. Resolves when it is in sync. */
export async function editIn(server: { url: string }, room: string): Promise<Editor> {
  const editor = visits(joinRoom({ serverUrl: server.url, room }), (it) => it.leave());
  await editor.synced;
  return editor;
}

/** The connections that the servers report themselves, summed. */
export async function truthOfFleet(
  servers: readonly Pick<ServerProcess, 'connections'>[],
): Promise<Record<string, number>> {
  // Without a prototype, as a room may be called `__proto__`.
  const truth: Record<string, number> = Object.create(null);
  for (const connections of await Promise.all(servers.map((server) => server.connections())))
    for (const [room, count] of Object.entries(connections))
      truth[room] = (truth[room] ?? 0) + count;
  return { ...truth };
}

/** Resolves when a viewer sees what the servers report themselves. */
export async function untilTrue(
  viewer: EventStream,
  servers: readonly Pick<ServerProcess, 'connections'>[],
  deadline: { withinMs?: number } = {},
): Promise<void> {
  await eventually(async () => {
    const truth = await truthOfFleet(servers);
    // Shown when the test fails: the states of the servers tell why.
    const seen = viewer.seen();
    expect({ rooms: viewer.rooms(), seen }).toEqual({ rooms: truth, seen });
  }, deadline);
}
