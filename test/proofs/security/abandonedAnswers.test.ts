import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { startDouble, stateOf, visits } from '../../support/stage.js';
import { viewerRequest } from '../faults/support/dial.js';
import { runService, type ServiceRun } from '../faults/support/serviceRun.js';

const filesOf = ({ pid }: ServiceRun) => readdirSync(`/proc/${pid}/fd`).length;

/** The biggest part of the page. */
async function biggestAsset({ url }: ServiceRun): Promise<string> {
  const html = await (await fetch(url)).text();
  const [script = ''] = html.match(/assets\/index[^"]+\.js/) ?? [];
  return `/${script}`;
}

/** Sends many requests at once, reads no answer, and leaves when the service has read them. */
async function abandon(service: ServiceRun, paths: readonly string[]): Promise<void> {
  const { hostname, port } = new URL(service.url);
  const socket = visits(connect(Number(port), hostname), (it) => it.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  await new Promise<void>((resolve) => {
    socket.write(paths.map((path) => viewerRequest(path)).join(''), () => resolve());
  });
  for (let i = 0; i < 3; i += 1) await ask(`${service.url}/health`);
  socket.destroy();
}

test('answers that are never read leave no descriptor and no viewer behind', async () => {
  const double = await startDouble();
  double.rooms.set('a', 1);
  const service = await runService([double], { env: { LINGER_MS: '50' } });
  await eventually(async () => expect((await fetch(`${service.url}/api/rooms`)).status).toBe(200));
  const before = filesOf(service);
  const asset = await biggestAsset(service);
  const many = (...paths: string[]) => Array.from({ length: 150 }, () => paths).flat();
  const attacks = [
    many(asset),
    // A stream never ends, so the answers after it stay in the queue.
    ['/api/events', ...many(asset)],
    ['/api/events', ...many('/api/connections/latest', '/api/rooms/a', '/api/rooms/a/events')],
    ['/api/updates', ...many('/', '/openapi.json', '/api/events?stream=changes')],
  ];
  for (let round = 0; round < 3; round += 1)
    for (const paths of attacks) await abandon(service, paths);
  await eventually(() => expect(filesOf(service)).toBeLessThanOrEqual(before + 4));
  await eventually(async () => expect(await stateOf(service)).toMatchObject({ viewers: 0 }));
});
