import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../../server/config/config.js';
import { freePort } from '../../../server/demo/serviceChild.js';
import { startService } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, startReal, untilTrue } from '../../support/fleet.js';
import { startRelay } from '../../support/relay.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  activationsOf,
  getJson,
  letProbesPass,
  owns,
  post,
  quick,
  startDouble,
  startStaged,
  stateOf,
  statesSaid,
  untilServer,
  untilShown,
  watch,
} from '../../support/stage.js';

type Row = { id: string; state: string; callback: string | null };
const rowsOf = ({ url }: { url: string }) => getJson<Row[]>(`${url}/api/servers`);

/** Changes the rooms of a server until it is deaf, and posts none of the changes. */
async function changeUntilDeaf(viewer: EventStream, server: ScriptedServer): Promise<void> {
  let count = 0;
  await eventually(() => {
    count += 1;
    server.rooms.set('r', count);
    expect(viewer.seen().servers[server.id]?.state).toBe('deaf');
  });
}

describe('promise 9, known from unknown', () => {
  test('a server whose posts do not reach the service is deaf, the totals are incomplete, and it heals with its first post', async () => {
    const server = await startReal();
    const relay = await startRelay();
    relay.decide = () => 'lost';
    const service = await startStaged([server], relay.env);
    await connectTo(server, 'room');
    await connectTo(server, 'room');
    const viewer = await watch(service);
    await untilShown(viewer, { room: 2 });
    expect(viewer.seen().complete).toBe(true);
    // 7 are connected and 2 are shown until the next resync.
    for (let count = 3; count <= 7; count += 1) await connectTo(server, 'room');
    await untilShown(viewer, { room: 7 });
    await connectTo(server, 'other');
    await untilServer(viewer, server.id, 'deaf');
    expect(viewer.seen().complete).toBe(false);
    expect(await stateOf(service)).toMatchObject({ complete: false, servers: 1 });
    const callback = `${relay.env.PUBLIC_URL}/api/events`;
    expect(await rowsOf(service)).toMatchObject([{ state: 'deaf', callback }]);
    await connectTo(server, 'other');
    await untilTrue(viewer, [server]);
    relay.decide = () => 0;
    await connectTo(server, 'healed');
    await untilServer(viewer, server.id, 'live');
    await eventually(() => expect(viewer.seen().complete).toBe(true));
    await untilTrue(viewer, [server]);
  });

  test('the log names the callback address once, and never the token', async () => {
    const server = await startDouble();
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const PUBLIC_URL = 'http://127.0.0.1:9/sub';
    const PORT = String(await freePort());
    const config = readConfig({ ...quick, PORT, PUBSUB_SERVERS: server.id, PUBLIC_URL });
    const service = await startService(config, pino({ level: 'warn' }, { write }), {
      openStore: async () => emptyStore,
    });
    owns(service, () => service.stop());
    const url = `http://127.0.0.1:${PORT}`;
    const viewer = await watch({ url });
    await changeUntilDeaf(viewer, server);
    const told = lines.filter((line) => line.includes('do not reach'));
    expect(told.map((line) => JSON.parse(line))).toMatchObject([
      { server: server.id, callback: 'http://127.0.0.1:9/sub/api/events' },
    ]);
    expect(lines.join()).not.toContain('token=');
  });

  test('a server without changes stays live, and so does one that lost a post', async () => {
    const [quiet, lossy] = [await startDouble(), await startDouble()];
    quiet.rooms.set('q', 1);
    const service = await startStaged([quiet, lossy]);
    const viewer = await watch(service);
    await untilShown(viewer, { q: 1 });
    await lossy.open('l', { lose: true });
    await untilShown(viewer, { q: 1, l: 1 });
    await letProbesPass(12);
    for (const { id } of [quiet, lossy]) expect(statesSaid(viewer, id)).not.toContain('deaf');
    // A server that changed without a post is asked for snapshots in place of probes.
    expect(activationsOf(lossy)).toBeGreaterThan(activationsOf(quiet));
    await lossy.open('l');
    await untilShown(viewer, { q: 1, l: 2 });
  });

  test.each([
    ['a post that is refused', '{'],
    ['an update', '{"room":"r","update":"AAA="}'],
  ])('%s proves that posts arrive', async (_, body) => {
    const server = await startDouble();
    const service = await startStaged([server]);
    const viewer = await watch(service);
    await untilServer(viewer, server.id, 'live');
    await changeUntilDeaf(viewer, server);
    await post(server.eventsUrl ?? '', body);
    await untilServer(viewer, server.id, 'live');
  });
});
