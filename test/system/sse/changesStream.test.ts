import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { puts, useHarness } from '../../support/harness.js';

const harness = useHarness();
const changes = { path: '/api/events?stream=changes' };
const resumed = (id: string | undefined) => ({
  ...changes,
  headers: { 'Last-Event-ID': id ?? '' },
});

test('changes are absolute counts without gaps in the versions, and 0 means gone', async () => {
  const server = await harness.server();
  server.rooms.set('a', 2);
  const service = await harness.service();
  const stream = await harness.watch(service, changes);
  await eventually(() => expect(stream.seen()).toMatchObject({ state: 'active', complete: true }));
  for (const room of ['b', 'b', 'a']) {
    await server.open(room);
    await eventually(() => expect(stream.rooms()[room]).toBe(server.rooms.get(room)));
  }
  for (const room of ['b', 'b']) {
    await server.close(room);
    await eventually(() => expect(stream.rooms()[room]).toBe(server.rooms.get(room)));
  }
  const events = stream.messages.map(({ event, id, data }) => ({ event, id, ...JSON.parse(data) }));
  expect(events.at(-5)).toMatchObject({ event: 'changes', rooms: { b: 1 } });
  expect(events.slice(-5).map(({ rooms }) => rooms)).toEqual([
    { b: 1 },
    { b: 2 },
    { a: 3 },
    { b: 1 },
    { b: 0 },
  ]);
  const [first, ...rest] = events;
  expect(first).toMatchObject({ event: 'snapshot', complete: expect.any(Boolean) });
  for (const [i, { version }] of rest.entries()) expect(version).toBe(first?.version + i + 1);
  for (const { id, version } of events)
    expect(id).toMatch(new RegExp(`^[\\w-]+\\.\\d+-${version}$`));
  const told = rest.flatMap(({ servers = [] }) => servers);
  expect(told.at(-1)).toMatchObject({ id: server.id, state: 'live' });
});

test('a viewer that reconnects gets exactly what it missed', async () => {
  const server = await harness.server();
  const service = await harness.service();
  const witness = await harness.watch(service, changes);
  const leaver = await harness.stream(service, changes);
  await eventually(() => expect(leaver.messages.length).toBeGreaterThan(0));
  await leaver.close();
  const { id } = leaver.messages.at(-1) ?? {};
  for (const room of ['a', 'b', 'a']) {
    await server.open(room);
    await eventually(() => expect(witness.rooms()[room]).toBe(server.rooms.get(room)));
  }
  const at = witness.messages.findIndex((message) => message.id === id);
  const missed = witness.messages.slice(at + 1);
  const back = await harness.stream(service, resumed(id));
  await eventually(() => expect(back.messages).toEqual(missed));
  await server.open('c');
  await eventually(() => expect(back.messages.at(-1)).toEqual(witness.messages.at(-1)));
});

test('no viewer can resume across a deactivation', async () => {
  const server = await harness.server();
  server.rooms.set('a', 1);
  const service = await harness.service({ LINGER_MS: '0' });
  const first = await harness.watch(service, changes);
  await eventually(() => expect(first.rooms()).toEqual({ a: 1 }));
  await first.close();
  await eventually(() => expect(puts(server)).toEqual([false, true, false]));
  server.rooms.delete('a');
  const back = await harness.stream(service, resumed(first.messages.at(-1)?.id));
  await eventually(() => expect(back.messages[0]?.event).toBe('snapshot'));
  expect(back.rooms()).toEqual({});
});

test('an unknown event id starts with a snapshot', async () => {
  const service = await harness.service();
  for (const id of ['x', '0', 'a.1-1', '\u00ff', '9'.repeat(4000)]) {
    const stream = await harness.stream(service, resumed(id));
    await eventually(() => expect(stream.messages[0]?.event).toBe('snapshot'));
  }
});
