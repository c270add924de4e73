import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { activationsOf, startDouble } from '../support/stage.js';
import { dial, viewerRequest } from './support/dial.js';
import type { Census } from './support/preloadedCensus.js';
import { runService, type ServiceRun } from './support/serviceRun.js';
import { signIn } from './support/signIn.js';

const token = 'a-token-of-viewers';
const leaves = ['destroy', 'resetAndDestroy', 'end'] as const;
/** Every kind of stream; of rooms, each time another one. */
const paths = [
  '/api/events',
  '/api/events?stream=changes',
  '/api/updates',
  '/inspect/events',
  '/api/rooms/r-#/events',
];
/** At a time; between two bunches nobody looks, and all is told to be silent. */
const bunch = 25;
const block = 1000;
const warmUp = 500;
/** What is optimized after thousands of viewers, and bounded stores that fill up, are no leaks: those are in every block. */
const maxBlocks = 4;
/** What a viewer may leave in the heap, on average over a block. */
const maxBytes = 300;
/** What a whole block may leave of anything that can be counted: less than one for each bunch. */
const maxKept = 20;

const maxSockets = 5;

type Resources = Record<string, number>;

let visited = 0;

/** A viewer signs in, comes, sees a frame, and leaves in one of the ways there are. */
async function visit(service: ServiceRun): Promise<void> {
  visited += 1;
  const i = visited;
  const headers = await signIn(service, token);
  const { socket, text } = dial(service);
  const path = paths[i % paths.length]?.replace('#', `${i}`);
  socket.write(viewerRequest(path, headers));
  await eventually(() => expect(text()).toContain('data: '));
  socket[leaves[i % leaves.length] ?? 'destroy']();
}

async function untilIdle({ url }: ServiceRun): Promise<void> {
  const headers = { Authorization: `Bearer ${token}` };
  await eventually(async () => {
    const answer = await fetch(`${url}/api/state`, { headers });
    expect(await answer.json()).toMatchObject({ state: 'inactive', viewers: 0 });
  });
}

async function visits(service: ServiceRun, viewers: number): Promise<void> {
  for (let i = 0; i < viewers; i += bunch) {
    await Promise.all(Array.from({ length: bunch }, () => visit(service)));
    await untilIdle(service);
  }
}

const filesOf = ({ pid }: ServiceRun) => readdirSync(`/proc/${pid}/fd`).length;

/** Of two counts of what a process holds: what there is more of now. */
function growthOf(before: Census, now: Census) {
  const kinds = Object.keys(now.numbers);
  const more = kinds.map((kind) => [kind, (now.numbers[kind] ?? 0) - (before.numbers[kind] ?? 0)]);
  return {
    bytesPerViewer: (now.heapBytes - before.heapBytes) / block,
    more: Object.fromEntries(more.filter(([, number]) => Number(number) > maxKept)),
  };
}

test('of 1,000 viewers who come and go, with an activation for every bunch, nothing is left behind', async () => {
  const doubles = [await startDouble(), await startDouble()] as const;
  const service = await runService(doubles, {
    env: {
      LINGER_MS: '0',
      DASHBOARD_TOKEN: token,
      INSPECT: 'true',
      MAX_VIEWERS_PER_ADDRESS: '100',
    },
    imports: ['./preloadedCensus.ts'],
    // What is compiled is kept as it is: else it comes and goes by half a megabyte.
    nodeArgs: ['--expose-gc', '--no-opt', '--no-sparkplug', '--no-flush-bytecode'],
  });
  const census = async () => {
    // The sockets of those who ask here are kept for a while.
    await eventually(async () => {
      const { TCPSocketWrap = 0 } = await service.ask<Resources>({ countResources: true });
      expect(TCPSocketWrap).toBeLessThanOrEqual(maxSockets);
    });
    return service.ask<Census>({ takeCensus: true });
  };
  await visits(service, warmUp);
  const files = filesOf(service);
  const activations = activationsOf(doubles[0]);
  let before = await census();
  for (let blocks = 1; ; blocks += 1) {
    await visits(service, block);
    expect(activationsOf(doubles[0]) - activations).toBeGreaterThanOrEqual(
      blocks * (block / bunch),
    );
    const now = await census();
    const { bytesPerViewer, more } = growthOf(before, now);
    before = now;
    if (bytesPerViewer < maxBytes && Object.keys(more).length === 0) break;
    if (blocks < maxBlocks) continue;
    expect(more).toEqual({});
    expect(bytesPerViewer).toBeLessThan(maxBytes);
  }
  await eventually(() => expect(filesOf(service)).toBeLessThanOrEqual(files + maxKept));
}, 240_000);
