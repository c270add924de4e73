import { expect, test } from '@jest/globals';
import type { ActivityEvent } from '../../../server/wire/activityEvent.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { nth, startReal } from '../../support/fleet.js';
import {
  calm,
  getJson,
  recover,
  startDouble,
  startStaged,
  untilServer,
  watch,
} from '../../support/stage.js';
import { edit, watchRoom } from '../rooms/support/rooms.js';

const activityOf = ({ url }: { url: string }, query = '') =>
  getJson<ActivityEvent[]>(`${url}/api/activity${query}`);
const toldTo = ({ messages }: EventStream): ActivityEvent[] =>
  messages
    .filter(({ event }) => event === 'activity')
    .flatMap(({ data }) => JSON.parse(data).events);

test('a server that fails and recovers is in the activity, and on the stream', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  expect((await activityOf(service))[0]).toMatchObject({
    kind: 'instance.alone',
    level: 'info',
    instance: service.url,
  });
  const viewer = await watch(service);
  await untilServer(viewer, double.id, 'live');
  double.respond({ kind: 'status', status: 500 });
  double.respond({ kind: 'status', status: 500, to: 'health' });
  await untilServer(viewer, double.id, 'unreachable');
  recover(double);
  await untilServer(viewer, double.id, 'live');

  await eventually(async () => {
    const kinds = (await activityOf(service)).map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['server.unreachable', 'server.live']));
  });
  const events = await activityOf(service);
  const failed = events.find(({ kind }) => kind === 'server.unreachable');
  expect(failed).toMatchObject({
    level: 'warning',
    subject: { type: 'server', name: double.id },
    cause: expect.stringContaining('500'),
  });
  // On a busy machine there may be more at any instant.
  await eventually(async () => {
    const told = toldTo(viewer);
    const all = await activityOf(service);
    expect(told.map(({ kind }) => kind)).toContain('server.live');
    expect(told).toEqual(all.slice(-told.length));
    const before = all.at(-told.length - 1);
    expect(await activityOf(service, `?after=${before?.id}`)).toEqual(told);
  });
  expect((await fetch(`${service.url}/api/activity?after=1`)).status).toBe(400);
});

test('a room whose servers hold different documents is in the activity', async () => {
  const servers = [await startReal(), await startReal()];
  const service = await startStaged(servers, calm);
  const editors = await Promise.all(servers.map((server) => edit(server, 'r')));
  nth(editors, 0).type('only here');
  await watchRoom(service, 'r');
  await eventually(async () => {
    const events = await activityOf(service);
    expect(events.at(-1)).toMatchObject({
      kind: 'room.diverged',
      level: 'warning',
      subject: { type: 'room', name: 'r' },
      cause: expect.stringContaining(nth(servers, 1).id),
    });
  });
});
