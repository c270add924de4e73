import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { owns, startDouble, untilShown, watch } from '../../support/stage.js';
import { runService, type ServiceRun } from '../faults/support/serviceRun.js';

const mebibyte = 1024 * 1024;

/** Huge bodies in place of a snapshot. */
const bodies: Record<string, (bytes: number) => Buffer> = {
  'arrays in arrays': (bytes) => Buffer.alloc(bytes, '['),
  'a plain snapshot of as many rooms as there is place for': (bytes) => {
    const entry = (i: number) => `{"room-${String(i).padStart(9, '0')}":1},`;
    const entries = Array.from({ length: Math.floor((bytes - 2) / entry(0).length) }, (_, i) =>
      entry(i),
    );
    return Buffer.from(`[${entries.join('').slice(0, -1)}]`);
  },
  'entries that are no rooms': (bytes) => Buffer.from(`[${'0,'.repeat(bytes / 2 - 2)}0]`),
  'white space': (bytes) => Buffer.concat([Buffer.alloc(bytes - 1, ' '), Buffer.from('[')]),
  'a name without an end': (bytes) => Buffer.concat([Buffer.from('[{"'), Buffer.alloc(bytes, 'x')]),
};

/** A host that answers every PUT with this body, and counts its answers. */
async function startHost(body: Buffer) {
  const host = { port: 0, answered: 0 };
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(request.method === 'PUT' ? body : 'okay', () => {
      host.answered += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => {
    server.closeAllConnections();
    server.close();
  });
  host.port = (server.address() as AddressInfo).port;
  return host;
}

/** Asks for `/health` again and again. Resolves with the longest turn of the service meanwhile. */
async function longestTurnMs(service: ServiceRun, isOver: () => boolean): Promise<number> {
  await service.ask({ measureTurns: true });
  for (let i = 0; i < 20 || !isOver(); i += 1)
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
  return service.ask<number>({ measureTurns: false });
}

const memoryOf = ({ pid }: ServiceRun) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

test.each(Object.keys(bodies))(
  'hosts that answer %s neither block the service nor fill its memory',
  async (kind) => {
    const body = bodies[kind]?.(60 * mebibyte) ?? Buffer.alloc(0);
    const small = bodies[kind]?.(8 * mebibyte - 100) ?? Buffer.alloc(0);
    const hosts = await Promise.all([
      startHost(body),
      ...Array.from({ length: 10 }, () => startHost(small)),
    ]);
    const double = await startDouble();
    const service = await runService([double], {
      env: { REQUEST_TIMEOUT_MS: '5000', PROBE_INTERVAL_MS: '60000', RESYNC_INTERVAL_MS: '600000' },
      imports: ['./preloadedTurns.ts'],
    });
    const viewer = await watch(service);
    await double.open('real');
    await untilShown(viewer, { real: 1 });
    const before = memoryOf(service);

    for (const { port } of hosts)
      await (await fetch(`${service.url}/api/events/clients?port=${port}`)).text();
    let peak = before;
    const longest = await longestTurnMs(service, () => {
      peak = Math.max(peak, memoryOf(service));
      return hosts.slice(1).every(({ answered }) => answered > 0);
    });
    expect(longest).toBeLessThan(250);
    expect(peak - before).toBeLessThan(200);
    await double.open('real');
    await eventually(() => expect(viewer.rooms().real).toBe(2));
    expect(service.isRunning()).toBe(true);
  },
  300_000,
);
