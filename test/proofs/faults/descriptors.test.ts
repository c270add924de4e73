import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ServerProcess, startServerProcess } from '../../../server/demo/pubSubFleet.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, untilTrue } from '../../support/fleet.js';
import { stateOf, untilShown, untilState, watch } from '../../support/stage.js';
import { type Dialled, dial, viewerRequest } from './support/dial.js';
import { runService, type ServiceRun } from './support/serviceRun.js';

/** Enough to load the service from its sources, which opens many files at once. */
const maxFiles = 200;

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.kill());

const filesOf = ({ pid }: ServiceRun) => readdirSync(`/proc/${pid}/fd`).length;

/** Resolves when the store is open. It is the last to open after the start. */
const untilSettled = (service: ServiceRun) =>
  eventually(async () => expect((await fetch(`${service.url}/api/rooms`)).status).toBe(200));

/** Adds a viewer to the crowd, unless the service refuses it. */
async function enter(crowd: Dialled[], service: ServiceRun): Promise<void> {
  const viewer = dial(service);
  viewer.socket.write(viewerRequest());
  await eventually(() => expect(viewer.isClosed() || viewer.text() !== '').toBe(true));
  if (viewer.text() !== '') crowd.push(viewer);
  if (crowd.length >= maxFiles)
    throw new Error('the service took as many connections as it may have descriptors');
}

/** Sends requests on a connection that is open already. Resolves with the status line of each answer. */
async function askOn(kept: Dialled, paths: readonly string[]): Promise<string[]> {
  const answers = () => kept.text().match(/HTTP\/1\.1 \d+/g) ?? [];
  const before = answers().length;
  for (const [i, path] of paths.entries()) {
    kept.socket.write(viewerRequest(path));
    await eventually(() => expect(answers()).toHaveLength(before + i + 1));
  }
  return answers().slice(before);
}

test('with no descriptor left the service runs on, shows its servers as unreachable, and is exact afterwards', async () => {
  const service = await runService([server], { maxFiles, env: { LOG_LEVEL: 'info' } });
  await untilSettled(service);
  const viewer = await watch(service);
  await connectTo(server, 'before');
  await untilShown(viewer, { before: 1 });
  const kept = dial(service);
  expect(await askOn(kept, ['/health'])).toEqual(['HTTP/1.1 200']);
  const files = filesOf(service);

  const crowd: Dialled[] = [];
  await eventually(async () => {
    // Viewers take every free descriptor, and those of probes that have ended.
    await enter(crowd, service);
    expect(await askOn(kept, ['/health'])).toEqual(['HTTP/1.1 200']);
    expect(viewer.seen().servers[server.id]?.state).toBe('unreachable');
  });
  expect(service.log()).toContain('EMFILE');
  expect(viewer.seen().complete).toBe(false);
  await connectTo(server, 'during');
  const paths = ['/health', '/api/rooms', '/api/rooms/before', '/api/servers'];
  const answers = await askOn(kept, paths);
  expect(answers.filter((line) => line.endsWith('500'))).toEqual([]);
  // The page is served from memory.
  expect(await askOn(kept, ['/'])).toEqual(['HTTP/1.1 200']);
  expect(viewer.isEnded()).toBe(false);

  for (const { socket } of crowd) socket.destroy();
  await untilTrue(viewer, [server]);
  await eventually(() => expect(viewer.seen().complete).toBe(true));
  await eventually(async () => expect((await stateOf(service)).viewers).toBe(1));
  await eventually(() => expect(filesOf(service)).toBeLessThanOrEqual(files + 2));
  expect(viewer.rooms()).toEqual({ before: 1, during: 1 });
  await untilSettled(service);
  const json = { headers: { Accept: 'application/json' } };
  expect((await fetch(`${service.url}/api/rooms/before`, json)).status).toBe(200);
  await viewer.close();
  await untilState(service, 'inactive');
  expect(service.isRunning()).toBe(true);
});

test('with every free descriptor taken at once by another thread the service runs on too', async () => {
  const service = await runService([server], {
    maxFiles,
    imports: ['./preloadedHog.ts'],
  });
  await untilSettled(service);
  const viewer = await watch(service);
  await connectTo(server, 'before');
  await untilShown(viewer, { before: 1 });
  await service.ask({ hog: true });
  await eventually(() => expect(viewer.seen().servers[server.id]?.state).toBe('unreachable'));
  const refused = Array.from({ length: 20 }, () => dial(service));
  for (const { socket } of refused) socket.write(viewerRequest());
  await connectTo(server, 'during');
  await eventually(() => expect(viewer.rooms()).toEqual({}));
  await service.ask({ hog: false });
  await untilTrue(viewer, [server]);
  expect(viewer.rooms()).toEqual({ before: 1, during: 1 });
  expect(service.isRunning()).toBe(true);
});
