import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();

test('the counts of rooms come in the order of the query', async () => {
  const [one, two] = [await harness.server(), await harness.server()];
  one.rooms.set('a%20b', 1).set('__proto__', 2).set('other', 9);
  two.rooms.set('a%20b', 3);
  const service = await harness.service();
  await harness.watch(service);
  const names = ['none', 'a%20b', 'other', 'a b'];
  const query = names.map((name) => `room=${encodeURIComponent(name)}`).join('&');
  const { text } = await ask(`${service.url}/api/counts?${query}`);
  expect(JSON.parse(text)).toEqual([
    { room: 'none', connections: 0, complete: true, servers: [] },
    {
      room: 'a%20b',
      connections: 4,
      complete: true,
      servers: [
        { id: two.id, connections: 3 },
        { id: one.id, connections: 1 },
      ],
    },
    { room: 'other', connections: 9, complete: true, servers: [{ id: one.id, connections: 9 }] },
    { room: 'a b', connections: 0, complete: true, servers: [] },
  ]);
});

test('a room has servers while it has connections, and none afterwards', async () => {
  const server = await harness.server();
  const service = await harness.service();
  const countsOf = async () => JSON.parse((await ask(`${service.url}/api/counts?room=r`)).text);
  const unknown = [{ room: 'r', connections: null, complete: false, servers: null }];
  expect(await countsOf()).toEqual(unknown);
  await harness.watch(service);
  await server.open('r');
  const one = [
    { room: 'r', connections: 1, complete: true, servers: [{ id: server.id, connections: 1 }] },
  ];
  await eventually(async () => expect(await countsOf()).toEqual(one));
  await server.close('r');
  const none = [{ room: 'r', connections: 0, complete: true, servers: [] }];
  await eventually(async () => expect(await countsOf()).toEqual(none));
});

test('a server has its rooms with the connections on it, and none before it reported', async () => {
  const [one, two] = [await harness.server(), await harness.server()];
  one.rooms.set('a%20b', 1).set('other', 9);
  two.rooms.set('a%20b', 3);
  const service = await harness.service();
  const roomsOf = async (id: string) =>
    JSON.parse((await ask(`${service.url}/api/servers/rooms?server=${id}`)).text);
  expect(await roomsOf(one.id)).toEqual({ server: one.id, rooms: null });
  await harness.watch(service);
  await one.open('__proto__');
  await eventually(async () =>
    expect(Object.entries((await roomsOf(one.id)).rooms)).toEqual([
      ['a%20b', 1],
      ['other', 9],
      ['__proto__', 1],
    ]),
  );
  expect(await roomsOf('"none')).toEqual({ server: '"none', rooms: null });
});

test.each([0, 201])('%d rooms are refused', async (amount) => {
  const service = await harness.service();
  const query = 'room=r&'.repeat(amount);
  const { status, text } = await ask(`${service.url}/api/counts?${query}`);
  expect([status, JSON.parse(text).error.code]).toEqual([400, 'invalid_parameter']);
});
