/** What holds for every kind of host. */

import { expect, test } from '@jest/globals';
import * as Y from 'yjs';
import { encodeAwareness } from '../../../server/agent/awareness.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { eventually } from '../../support/eventually.js';
import { serversOf, watch } from '../../support/stage.js';
import { framesOf, peopleOf } from '../../system/rooms/support/awareness.js';
import { dataOf, documentOf, statusOf, watchRoom } from '../../system/rooms/support/rooms.js';
import type { HostKind } from './hostKind.js';
import { runAtRandom, seed, startHosted } from './hostStage.js';

/** A Yjs update that sets this key. */
function updateOf(key: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getMap('edits').set(key, true);
  return Y.encodeStateAsUpdate(doc);
}

/** Declares the tests of one kind. */
export function testHost(kind: HostKind): void {
  test.each([false, true])(
    `after random operations the service shows what the server has (seed ${seed}, stored: %s)`,
    async (isStoring) => {
      const figures = await runAtRandom(kind, { seed, operations: 150, isStoring });
      expect(figures.quietMoments).toBeGreaterThan(7);
      expect(figures.comparedRooms).toBeGreaterThan(0);
    },
  );

  test('connections that were open before the agent started are counted, and their closing', async () => {
    const { host, connect, untilShown } = await startHosted(kind, {
      controlPort: await freePort(),
    });
    const [first] = [await connect('notes'), await connect('notes'), await connect('plan')];
    await untilShown({ notes: 2, plan: 1 });
    await host.ask('restartAgent');
    const late = await connect('notes');
    await untilShown({ notes: 3, plan: 1 });
    await first?.close();
    await late.terminate();
    await untilShown({ notes: 1, plan: 1 });
  });

  test('the public port answers as before, and nothing of the agent', async () => {
    const { host, connect, untilShown } = await startHosted(kind);
    await connect('notes');
    await untilShown({ notes: 1 });
    const url = host.url.replace('ws:', 'http:');
    const body = '{"active":false,"eventsUrl":"http://127.0.0.1:9/"}';
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/health'],
      ['PUT', '/api/dashboard'],
      ['GET', '/api/room?id=notes'],
      ['GET', '/api/room?name=notes'],
    ] as const) {
      const answer = await fetch(url + path, { method, ...(method === 'PUT' && { body }) });
      expect(await answer.text()).toBe(`the user's ${method} ${path}`);
    }
    // The PUT has stopped nothing.
    await connect('notes');
    await untilShown({ notes: 2 });
  });

  test('updates of clients are posted, and none that the server has stored itself', async () => {
    const { service, host, connect, untilShown } = await startHosted(kind, { isStoring: true });
    const log = await watch(service, '/api/updates?as=updates');
    const posted = () =>
      log.messages
        .filter(({ event }) => event === 'update')
        .map(({ data }) => JSON.parse(data).update as string);
    const base64 = (update: Uint8Array) => Buffer.from(update).toString('base64');
    const [one, two] = [updateOf('one'), updateOf('two')];
    const writer = await connect('notes');
    await untilShown({ notes: 1 });
    // Until the first one comes, the server has not heard that somebody watches.
    await eventually(() => {
      writer.edit(updateOf('hello'));
      expect(posted()).not.toEqual([]);
    });
    writer.edit(one);
    await eventually(() => expect(posted()).toContain(base64(one)));
    await writer.close();
    await untilShown({});
    await host.ask('unload', 'notes');
    const before = posted().length;
    const other = await connect('notes');
    await untilShown({ notes: 1 });
    other.edit(two);
    await eventually(() => expect(posted()).toContain(base64(two)));
    expect(posted().slice(before)).toEqual([base64(two)]);
  });

  test('a watched document is live by posts, with the people in it', async () => {
    const { service, connect, untilShown } = await startHosted(kind);
    const [writer, reader] = [await connect('notes'), await connect('notes')];
    await untilShown({ notes: 2 });
    const viewer = await watchRoom(service, 'notes');
    await eventually(() => expect(statusOf(viewer)).toMatchObject({ source: 'posts' }));
    const names = () =>
      Array.from(peopleOf(framesOf(viewer)).values(), ({ state }) => state as { name: string });
    const meta = new Map([[7, { clock: 1 }]]);
    const present = encodeAwareness({ states: new Map([[7, { name: 'Ada' }]]), meta });
    reader.tell(present ?? new Uint8Array());
    await eventually(() => expect(names()).toEqual([{ name: 'Ada' }]));
    writer.edit(updateOf('one'));
    await eventually(() => expect(dataOf(viewer, 'update')).toHaveLength(1));
    await eventually(() => expect(documentOf(viewer)).toHaveProperty('edits.value', { one: true }));
    const gone = encodeAwareness({ states: new Map(), meta: new Map([[7, { clock: 2 }]]) }, [7]);
    reader.tell(gone ?? new Uint8Array());
    await eventually(() => expect(names()).toEqual([]));
  });

  test('when the server ends in order, the service shows its connections no longer', async () => {
    const { service, host, connect, untilShown } = await startHosted(kind);
    await connect('notes');
    await untilShown({ notes: 1 });
    expect(await serversOf(service)).toHaveLength(1);
    expect(await host.stop()).toBe(0);
    await untilShown({});
  });
}
