import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { puts, toldUrl, useHarness } from '../../support/harness.js';
import { ask, post } from '../../support/http.js';
import { startTestService } from '../../support/service.js';

const harness = useHarness();

async function watched(env: Record<string, string> = {}) {
  const server = await harness.server();
  const service = await harness.service(env);
  const stream = await harness.watch(service);
  return { server, service, stream, url: toldUrl(server) };
}

/** Opens a connection and waits until it is shown: what was posted before would be shown too. */
async function shownAfter({ server, stream }: Awaited<ReturnType<typeof watched>>) {
  expect(await server.open('last')).toEqual({ status: 204 });
  await eventually(() => expect(stream.rooms()).toHaveProperty('last', 1));
  const { last, ...others } = stream.rooms();
  return others;
}

test('a delta gets 204 without a body, and is counted', async () => {
  const at = await watched();
  const { status, text } = await post(at.url, { room: 'r', add: 1 });
  expect({ status, text }).toEqual({ status: 204, text: '' });
  expect(await shownAfter(at)).toEqual({ r: 1 });
});

test('all deltas of an array are counted; an empty array is accepted', async () => {
  const at = await watched();
  const deltas = [
    { room: 'a', add: 3 },
    { room: 'a', add: -1 },
    { room: 'b', add: 1000 },
    { room: 'c', add: 1, extra: 'ignored' },
  ];
  expect((await post(at.url, deltas)).status).toBe(204);
  expect((await post(at.url, [])).status).toBe(204);
  expect(await shownAfter(at)).toEqual({ a: 2, b: 1000, c: 1 });
});

test('the content type is ignored', async () => {
  const at = await watched();
  const init = { method: 'POST', body: '{"room":"r","add":1}', headers: { 'Content-Type': 'a/b' } };
  expect((await ask(at.url, init)).status).toBe(204);
  expect(await shownAfter(at)).toEqual({ r: 1 });
});

test('rooms are counted under their exact names', async () => {
  const names = ['__proto__', 'constructor', 'toString', '', ' ', 'a/b', '/lead', 'a=b', '100%'];
  names.push('a%20b', 'a"b<c>\\', '\u2028\n\r\0', '😀', '\ud800', 'x'.repeat(2000));
  const at = await watched();
  for (const room of names) expect((await post(at.url, { room, add: 2 })).status).toBe(204);
  const rooms = await shownAfter(at);
  expect(Object.entries(rooms).sort()).toEqual(names.map((room) => [room, 2]).sort());
  expect(puts(at.server)).toEqual([false, true]);
});

test.each([
  ['no token', (url: string) => url.split('?')[0] ?? ''],
  ['an empty token', (url: string) => url.replace(/=.*/, '=')],
  ['a wrong token', (url: string) => url.replace(/=./, '=~')],
  ['a token with something after it', (url: string) => `${url}A`],
  ['two tokens', (url: string) => `${url}&${url.split('?')[1]}`],
])('with %s it gets 404 and is not counted', async (_what, change) => {
  const at = await watched();
  const { status, code } = await post(change(at.url), { room: 'stranger', add: 5 });
  expect({ status, code }).toEqual({ status: 404, code: 'token_unknown' });
  expect(await shownAfter(at)).toEqual({});
  expect(at.stream.messages.filter(({ data }) => data.includes('stranger'))).toEqual([]);
});

test('the token of another run gets 404 and is not counted', async () => {
  const at = await watched();
  const other = await startTestService({ PUBSUB_PORT: String(at.server.port) });
  const { text } = await ask(`${other.url}/api/events/clients`);
  await other.stop();
  const { search } = new URL(JSON.parse(text).eventsUrl);
  expect(search).toMatch(/^\?token=./);
  const answer = await post(`${at.service.url}/api/events${search}`, { room: 'r', add: 1 });
  expect(answer.code).toBe('token_unknown');
});

test('deltas are not counted while there is no viewer', async () => {
  const server = await harness.server();
  const service = await harness.service();
  expect((await post(toldUrl(server), { room: 'r', add: 1 })).status).toBe(204);
  // It should have been silent: it is told so again.
  await eventually(() => expect(puts(server)).toEqual([false, false]));
  const stream = await harness.watch(service);
  expect(stream.rooms()).toEqual({});
});

test('deltas of one server do not change the counts of another', async () => {
  const servers = [await harness.server(), await harness.server()] as const;
  for (const server of servers) server.rooms.set('shared', 3);
  const service = await harness.service();
  const stream = await harness.watch(service);
  await eventually(() => expect(stream.rooms()).toEqual({ shared: 6 }));
  await post(toldUrl(servers[0]), { room: 'shared', add: -1000 });
  // Below zero is shown as zero, and is not taken off what the other has.
  await eventually(() => expect(stream.rooms()).toEqual({ shared: 3 }));
});
