import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';
import { createClient } from '../../../server/store/dynamodb/client.js';
import { startEmbedded } from '../../../server/store/embedded/embedded.js';
import { openStore } from '../../../server/store/openStore.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet } from '../../support/fleet.js';
import { get } from '../../support/restApi.js';
import { owns, startStaged, untilShown, watch } from '../../support/stage.js';

const fleet = sharedFleet(1);

/** A folder in which the embedded store holds one room. */
async function storedRoom(id: string): Promise<string> {
  const dataDir = owns(await mkdtemp(join(tmpdir(), 'embedded-')), (it) =>
    rm(it, { recursive: true }),
  );
  const embedded = await startEmbedded({ dataDir });
  const client = createClient(embedded.clientOptions);
  const Item = { id: { S: id } };
  await client.send(new PutItemCommand({ TableName: embedded.names.rooms, Item }));
  client.destroy();
  await embedded.close();
  return dataDir;
}

/** The threads that this process starts until the test ends. */
function watchThreads(): Worker[] {
  const threads: Worker[] = [];
  const note = (message: unknown) => threads.push((message as { worker: Worker }).worker);
  subscribe('worker_threads', note);
  return owns(threads, () => unsubscribe('worker_threads', note));
}

test.each([
  ['in a folder', true],
  ['in memory', false],
])(
  'the thread of the embedded store %s ends: counting goes on, lists show their age, and the store restarts',
  async (_, isKept) => {
    const config = readConfig(isKept ? { DATA_DIR: await storedRoom('kept') } : {});
    const threads = watchThreads();
    const faults: string[] = [];
    // Expired items cannot be deleted meanwhile, which is another fault.
    const onFault = ({ message }: Error) => /ended/.test(message) && faults.push(message);
    const service = await startStaged(
      fleet,
      {},
      { openStore: () => openStore(config, { onFault }) },
    );
    const viewer = await watch(service);
    const list = () => get(service, '/api/rooms');
    const rooms = async () => (await list()).json<{ id: string; connections: number }[]>();
    const isStale = async () => 'x-stale' in (await list()).headers;
    await eventually(async () => expect(await rooms()).toHaveLength(isKept ? 1 : 0));
    for (const connections of [1, 2]) {
      const thread = nth(threads, connections - 1);
      await Promise.all([once(thread, 'exit'), thread.terminate()]);
      expect(await isStale()).toBe(true);
      await connectTo(nth(fleet, 0), 'kept');
      await untilShown(viewer, { kept: connections });
      const known = [{ id: 'kept', connections }];
      // Without the store the list has the same rooms, with new counts.
      if (isKept) expect(await rooms()).toMatchObject(known);
      await eventually(async () => expect(await isStale()).toBe(false));
      // The list ends with live rooms that are not in the store.
      expect(await rooms()).toMatchObject(known);
      expect(faults).toHaveLength(connections);
    }
  },
);
