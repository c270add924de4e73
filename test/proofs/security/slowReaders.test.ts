import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from '@jest/globals';
import type { ServiceOverrides } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { startTestService } from '../../support/service.js';
import { owns, visits } from '../../support/stage.js';
import { viewerRequest } from '../faults/support/dial.js';

async function start(overrides: ServiceOverrides, env: Record<string, string> = {}) {
  const openStore = async () => emptyStore;
  const service = await startTestService({ ...env }, { openStore, ...overrides });
  return owns(service, () => service.stop());
}

interface Reader {
  readonly socket: Socket;
}

/** Connects without reading. */
async function dial(url: string, host = '127.0.0.1'): Promise<Reader> {
  const socket = visits(connect({ port: Number(new URL(url).port), host }), (it) => it.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket };
}

/** Connects, and requests more bytes at once than the kernel buffers for a client that does not read. */
async function askForMuch(url: string, count: number): Promise<Reader[]> {
  const html = await (await fetch(url)).text();
  const [script = ''] = html.match(/assets\/index[^"]+\.js/) ?? [];
  const request = viewerRequest(`/${script}`).repeat(300);
  const readers = await Promise.all(Array.from({ length: count }, () => dial(url)));
  for (const { socket } of readers) socket.pause().write(request);
  return readers;
}

/** Reads a little at a time until the test is over. Counts the answers. */
function readSlowly({ socket }: Reader): { answers: number } {
  const reading = { answers: 0 };
  socket.setEncoding('latin1');
  const timer = setInterval(() => {
    const text = String(socket.read() ?? '');
    reading.answers += text.split('HTTP/1.1 200').length - 1;
  }, 10);
  visits(timer, clearInterval);
  return reading;
}

/** Whether the service has closed the connection. A client that does not read notices that when it writes. */
function isClosed({ socket }: Reader): boolean {
  if (!socket.destroyed) socket.write('\r\n');
  return socket.destroyed;
}

test('clients that never read their answers are cut; those that read slowly and viewers are not', async () => {
  // The kernel lets a sender go on when a sixteenth of the receiver's buffer is free: 384 KiB here.
  const service = await start({ readTimeoutsMs: { stalled: 8000, whole: 600_000 } });
  const stream = await openEventStream(service.url);
  visits(stream, (it) => it.close());
  const [steady, ...stalled] = await askForMuch(service.url, 19);
  if (!steady) throw new Error('no reader');
  // Reads a little at a time, for longer than a stalled reader may take.
  const reading = readSlowly(steady);
  await eventually(() => expect(stalled.filter((reader) => !isClosed(reader))).toHaveLength(0));
  await eventually(() => expect(reading.answers).toBe(300));
  expect(stream.isEnded()).toBe(false);
});

test('an answer that is read too slowly is cut, an event stream is not', async () => {
  const service = await start({ readTimeoutsMs: { stalled: 600_000, whole: 1500 } });
  const stream = await openEventStream(service.url);
  visits(stream, (it) => it.close());
  const slow = await askForMuch(service.url, 1);
  await eventually(() => expect(slow.every(isClosed)).toBe(true));
  expect(stream.isEnded()).toBe(false);
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((it) => it && !it.internal && it.family === 'IPv4')?.address;

test('one address has a limited number of connections, and loopback has no limit', async () => {
  if (outside === undefined) throw new Error('this machine has no address but loopback');
  const service = await start(
    { spareConnections: { inAll: 1000, perAddress: 5 } },
    { HOST: '0.0.0.0', AUTH: 'none', MAX_VIEWERS_PER_ADDRESS: '5' },
  );
  const readers: Reader[] = [];
  for (let i = 0; i < 15; i += 1) readers.push(await dial(service.url, outside));
  await eventually(() => expect(readers.filter(isClosed)).toHaveLength(5));
  const own = await dial(service.url);
  expect((await fetch(`http://127.0.0.1:${new URL(service.url).port}/health`)).status).toBe(200);
  // Closed connections make room for new ones.
  for (const { socket } of readers) socket.destroy();
  await eventually(async () => {
    const again = await dial(service.url, outside);
    again.socket.write(viewerRequest('/health'));
    const answered = once(again.socket, 'data').then(([answer]) => String(answer));
    const closed = once(again.socket, 'close').then(() => 'closed');
    expect(await Promise.race([answered, closed])).toMatch(/^HTTP\/1\.1 200/);
  });
  expect(isClosed(own)).toBe(false);
});

test('the number of all connections is limited', async () => {
  const service = await start(
    { spareConnections: { inAll: 5, perAddress: 1000 } },
    { MAX_VIEWERS: '5' },
  );
  const readers: Reader[] = [];
  for (let i = 0; i < 15; i += 1) readers.push(await dial(service.url));
  await eventually(() => expect(readers.filter(isClosed)).toHaveLength(5));
});
