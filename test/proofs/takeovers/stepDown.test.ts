import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, jest, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { Cluster, roleOf } from '../../support/testCluster.js';

jest.setTimeout(60_000);
const within = { withinMs: 20_000 };
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A pub-sub server that answers nothing, and notes what reaches it and how connections end. */
async function startSilentServer() {
  const bodies: string[] = [];
  const ends: (string | undefined)[] = [];
  const server = createServer((req) => {
    req.on('data', (data) => bodies.push(String(data)));
    req.on('error', () => {});
  });
  server.on('connection', (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code));
    socket.on('end', () => ends.push('end'));
  });
  server.on('clientError', () => {});
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { id: `127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, ends };
}

test('when Redis is gone, the leader resets its open requests at the end of its lease, and begins no other', async () => {
  const server = await startSilentServer();
  const cluster = await Cluster.start(0, 0);
  const change = { PUBSUB_SERVERS: server.id, REQUEST_TIMEOUT_MS: '30000' };
  const service = await cluster.add(change);
  await cluster.leading();
  // The first one tells it to be silent.
  await eventually(() => expect(server.bodies).toHaveLength(1), within);
  await cluster.redis.stop();
  await eventually(() => expect(server.ends).toEqual(['ECONNRESET']), within);
  await eventually(() => expect(roleOf(service)).toBe('isolated'), within);
  await cluster.watch(service);
  expect(server.bodies).toHaveLength(1);
});
