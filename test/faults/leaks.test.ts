import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { activationsOf, startDouble, stateOf, untilState } from '../support/stage.js';
import { dial, viewerRequest } from './support/dial.js';
import type { Census } from './support/preloadedCensus.js';
import { runService, type ServiceRun } from './support/serviceRun.js';

const leaves = ['destroy', 'resetAndDestroy', 'end'] as const;
const paths = ['/api/events', '/api/events?stream=changes', '/api/rooms/r/events'];
/** At a time; between two bunches nobody looks, and all is told to be silent. */
const bunch = 25;
/**
 * What 500 viewers may leave in the heap. Measured: 1,000 leave 450 kB once the code is warm, while
 * it is still being optimized, and later thousands nothing; 500 viewers that are held leave 9 MB.
 */
const maxGrowthBytes = 1024 * 1024;

/** Far fewer than viewers, or bunches of them. */
const maxKept = 5;

/** A viewer comes, sees a frame, and leaves in one of the ways there are. */
async function visit(service: ServiceRun, i: number): Promise<void> {
  const { socket, text } = dial(service);
  socket.write(viewerRequest(paths[i % paths.length]));
  await eventually(() => expect(text()).toContain('data: '));
  socket[leaves[i % leaves.length] ?? 'destroy']();
}

async function visits(service: ServiceRun, cycles: number): Promise<void> {
  for (let i = 0; i < cycles; i += bunch) {
    await Promise.all(Array.from({ length: bunch }, (_, j) => visit(service, i + j)));
    await eventually(async () => expect((await stateOf(service)).viewers).toBe(0));
  }
  await untilState(service, 'inactive');
}

const filesOf = ({ pid }: ServiceRun) => readdirSync(`/proc/${pid}/fd`).length;
const census = (service: ServiceRun) => service.ask<Census>({ takeCensus: true });

/** What there is more of than before; a few sockets are kept for a while by those who ask here. */
const beyond = (before: Census, { resources, listeners }: Census) =>
  Object.entries({ ...resources, listeners }).filter(([kind, number]) => {
    const then = kind === 'listeners' ? before.listeners : (before.resources[kind] ?? 0);
    return number > then + maxKept;
  });

test('of 1,000 viewers who come and go, with an activation for every bunch, nothing is left behind', async () => {
  const doubles = [await startDouble(), await startDouble()] as const;
  for (const double of doubles) double.rooms.set('r', 1);
  const service = await runService(doubles, {
    env: { LINGER_MS: '0' },
    imports: ['./preloadedCensus.ts'],
    nodeArgs: ['--expose-gc'],
  });
  // What is loaded, optimized and kept from then on.
  await visits(service, 500);
  const [before, files] = [await census(service), filesOf(service)];
  let heapBytes = before.heapBytes;
  for (let half = 0; half < 2; half += 1) {
    const activations = activationsOf(doubles[0]);
    await visits(service, 500);
    expect(activationsOf(doubles[0]) - activations).toBeGreaterThanOrEqual(500 / bunch);
    await eventually(async () => expect(beyond(before, await census(service))).toEqual([]));
    const now = (await census(service)).heapBytes;
    expect(now - heapBytes).toBeLessThan(maxGrowthBytes);
    heapBytes = now;
  }
  await eventually(() => expect(filesOf(service)).toBeLessThanOrEqual(files + 2 * maxKept));
});
