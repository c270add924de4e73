import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ServerProcess, startServerProcess } from '../../../server/demo/pubSubFleet.js';
import { eventually } from '../../support/eventually.js';
import { connectTo, untilTrue } from '../../support/fleet.js';
import { stateOf, untilShown, untilState, watch } from '../../support/stage.js';
import { type Dialled, dial, viewerRequest } from './support/dial.js';
import { runService, type ServiceRun } from './support/serviceRun.js';

/** Enough for the service to be loaded from its sources, many files at a time. */
const maxFiles = 200;

let server: ServerProcess;
beforeAll(async () => {
  server = await startServerProcess();
});
afterAll(() => server.kill());

const filesOf = ({ pid }: ServiceRun) => readdirSync(`/proc/${pid}/fd`).length;

/** Resolves when the store is open, and whatever else comes a while after the start. */
const untilSettled = (service: ServiceRun) =>
  eventually(async () => expect((await fetch(`${service.url}/api/rooms`)).status).toBe(200));

/** One more viewer comes to the crowd, unless it is not taken. */
async function enter(crowd: Dialled[], service: ServiceRun): Promise<void> {
  const viewer = dial(service);
  viewer.socket.write(viewerRequest());
  await eventually(() => expect(viewer.isClosed() || viewer.text() !== '').toBe(true));
  if (viewer.text() !== '') crowd.push(viewer);
  if (crowd.length >= maxFiles) throw new Error('as many were taken as there are descriptors');
}

/** What is answered on a connection that was there before, each line a status. */
async function askOn(kept: Dialled, paths: readonly string[]): Promise<string[]> {
  const answers = () => kept.text().match(/HTTP\/1\.1 \d+/g) ?? [];
  const before = answers().length;
  for (const [i, path] of paths.entries()) {
    kept.socket.write(viewerRequest(path));
    await eventually(() => expect(answers()).toHaveLength(before + i + 1));
  }
  return answers().slice(before);
}

test('with no descriptor left the service goes on, says what it does not hear, and is exact again after', async () => {
  const service = await runService([server], { maxFiles, env: { LOG_LEVEL: 'info' } });
  await untilSettled(service);
  const viewer = await watch(service);
  await connectTo(server, 'before');
  await untilShown(viewer, { before: 1 });
  const kept = dial(service);
  expect(await askOn(kept, ['/health'])).toEqual(['HTTP/1.1 200']);
  const files = filesOf(service);

  const crowd: Dialled[] = [];
  await eventually(
    async () => {
      // Until none is taken, and then in the place of every probe that has ended.
      await enter(crowd, service);
      expect(await askOn(kept, ['/health'])).toEqual(['HTTP/1.1 200']);
      expect(viewer.seen().servers[server.id]?.state).toBe('unreachable');
    },
    { withinMs: 40_000 },
  );
  expect(service.log()).toContain('EMFILE');
  expect(viewer.seen().complete).toBe(false);
  await connectTo(server, 'during');
  const paths = ['/health', '/api/rooms', '/api/rooms/before', '/api/servers'];
  const answers = await askOn(kept, paths);
  expect(answers.filter((line) => line.endsWith('500'))).toEqual([]);
  // The page is in memory.
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

test('with every descriptor snatched away as soon as it is free, the service goes on too', async () => {
  const service = await runService([server], { maxFiles, imports: ['./preloadedHog.ts'] });
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
