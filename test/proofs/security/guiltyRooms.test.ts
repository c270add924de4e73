import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { getJson, noResync, quick, startStaged } from '../../support/stage.js';
import { startDocServer } from '../../system/rooms/support/docServer.js';
import {
  documentOf,
  statusOf,
  untilStanding,
  watchRoom,
} from '../../system/rooms/support/rooms.js';
import { crowd, endless } from '../../unit/documents/support.js';

/** A healthy room with a viewer. `type` edits it, and resolves when the viewer sees the edit. */
async function startInnocent(
  service: { url: string },
  server: Awaited<ReturnType<typeof startDocServer>>,
) {
  const text = server.doc('innocent').getText('text');
  const viewer = await watchRoom(service, 'innocent');
  let typed = 0;
  const type = async () => {
    typed += 1;
    text.insert(text.length, ` ${typed}`);
    await eventually(() => {
      expect(documentOf(viewer).text?.value).toBe(`${text}`);
    });
  };
  await type();
  return { viewer, type };
}

test('a room in which 60,000 clients wait for missing updates is named, and delays no other', async () => {
  const server = await startDocServer();
  const service = await startStaged([server], { ...noResync, ...quick });
  const { viewer, type } = await startInnocent(service, server);
  server.states.set(
    'evil',
    crowd(60_000, () => 1),
  );
  const watcher = await watchRoom(service, 'evil');
  await untilStanding(watcher, 'unreadable');
  const reason = 'too many clients wait for missing updates';
  expect(statusOf(watcher)).toMatchObject({ unreadable: [{ server: server.id, reason }] });
  const before = viewer.messages.length;
  // The server answers with another document each time.
  for (let i = 0; i < 3; i += 1) {
    server.states.set(
      'evil',
      crowd(60_000 + i, () => 1),
    );
    const [read, healthy] = await Promise.all([
      fetch(`${service.url}/api/room?room=evil`),
      fetch(`${service.url}/health`),
    ]);
    expect([read.status, healthy.status]).toEqual([502, 200]);
    await type();
  }
  const listed = await getJson<object>(`${service.url}/api/room/servers?room=evil`);
  expect(JSON.stringify(listed)).toContain(reason);
  const standings = viewer.messages.slice(before).filter(({ event }) => event === 'room');
  expect(JSON.stringify(standings)).not.toMatch(/"(locating|merging|unreadable)"/);
});

test('a room that would take Yjs minutes is refused and named; other rooms recover, and reading it once delays no watched room', async () => {
  const servers = [await startDocServer(), await startDocServer()] as const;
  const service = await startStaged(servers, { ...noResync, ...quick });
  const { viewer, type } = await startInnocent(service, servers[0]);
  for (const room of ['asked', 'watched'])
    for (const [i, state] of endless().entries()) servers[i]?.states.set(room, state);
  const url = `${service.url}/api/room?room=asked`;
  let isAnswered = false;
  const asked = fetch(url).finally(() => {
    isAnswered = true;
  });
  for (let i = 0; i < 3; i += 1) await type();
  expect(isAnswered).toBe(false);
  expect((await asked).status).toBe(413);
  expect(JSON.stringify(viewer.messages)).not.toContain('"lost"');
  // The room is now refused by its name, without reading it again.
  expect((await fetch(url)).status).toBe(413);
  const refused = await watchRoom(service, 'asked');
  await untilStanding(refused, 'unreadable');
  const watcher = await watchRoom(service, 'watched');
  await untilStanding(watcher, 'merging');
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
  await eventually(() => expect(statusOf(watcher).state).toBe('unreadable'));
  const reason = expect.stringContaining('too much time or memory');
  expect(statusOf(watcher).unreadable).toMatchObject([{ reason }, { reason }]);
  await type();
});
