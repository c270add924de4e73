import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { docs } from '@y/websocket-server/utils';
import { yWebsocket } from '../../../server/agent/check/opener.js';
import { runChecks } from '../../../server/agent/check/runChecks.js';
import { joinRoom } from '../../../server/demo/editors.js';
import { openConnection } from '../../../server/demo/openConnection.js';
import { ownDocuments } from '../../../server/demo/ownDocuments.js';
import { type PubSubServer, startPubSubServer } from '../../../server/demo/pubSubServer.js';
import { eventually } from '../../support/eventually.js';
import { activate, owns, send, startFakeDashboard } from './support.js';

let server: PubSubServer;
beforeEach(async () => {
  server = await startPubSubServer({ kind: 'own', name: 'own-1', forgetAfterMs: 50 });
});
afterEach(() => server.close());

const edit = (room: string) =>
  owns(joinRoom({ serverUrl: server.url, room, name: room }), (editor) => editor.leave());

test('our own server passes every check of the protocol', async () => {
  const results = await runChecks({
    url: new URL(`http://${server.id}`),
    opener: yWebsocket(new URL(server.url), 60_000),
    sendsBadInput: true,
    withinMs: 60_000,
    watchMs: 200,
  });
  expect(results.filter(({ result }) => result === 'fail')).toEqual([]);
  expect(results.filter(({ result }) => result === 'pass').length).toBeGreaterThan(25);
});

test('it syncs real editors, and shows them to each other until they leave', async () => {
  const [first, second] = [edit('r'), edit('r')];
  await Promise.all([first.synced, second.synced]);
  first.type('hello');
  await eventually(() => expect(second.text.toString()).toBe('hello'));
  await eventually(() => expect(second.provider.awareness.getStates().size).toBe(2));
  const third = edit('r');
  await third.synced;
  expect(third.text.toString()).toBe('hello');
  await eventually(() => expect(third.provider.awareness.getStates().size).toBe(3));
  await first.leave();
  await eventually(() => expect(third.provider.awareness.getStates().size).toBe(2));
  // The library has nothing to do with it.
  expect(docs.size).toBe(0);
});

test('it ends the connection of a client that sends garbage, and counts it as closed', async () => {
  const dashboard = await startFakeDashboard();
  await activate(server.port, { active: true, eventsUrl: `${dashboard.url}/api/events?token=a` });
  const connection = owns(await openConnection(server.url, 'r'), (it) => it.terminate());
  connection.socket.send(Buffer.from([0, 9, 9, 9]));
  await eventually(() =>
    expect(dashboard.deltas().flat()).toEqual([
      { room: 'r', add: 1 },
      { room: 'r', add: -1 },
    ]),
  );
  expect((await send(server.port, 'GET', '/health')).text).toBe('okay');
});

test('it forgets a document without connections, and tells what it is', async () => {
  await (await openConnection(server.url, 'r')).close();
  await eventually(() => expect(ownDocuments.docs.size).toBe(0));
  const answer = await activate(server.port, { active: false, eventsUrl: 'http://127.0.0.1:9/' });
  expect(JSON.parse(String(answer.headers['dashboard-agent']))).toMatchObject({
    name: 'own-1',
    host: 'own server with ws',
  });
});
