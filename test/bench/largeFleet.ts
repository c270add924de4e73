/**
 * 1,000 servers with 1,000 rooms each, a million distinct names: what the service holds for each, and
 * the longest turn of its event loop while they are activated, while another viewer comes, and while
 * they are deactivated. What a viewer ends with is compared with the truth.
 */
import got from 'got';
import { type BenchChild, startChild } from './children.js';
import { type Figure, median, report, until } from './figures.js';
import { startViewers } from './stage.js';
import type { Usage } from './usage.js';
import type { Size } from './viewersProcess.js';

const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 2 : 3;
const size = { servers: 1000, hung: 0, rooms: 1000 };
const entries = size.servers * size.rooms;

interface State {
  state: string;
}

async function oneRound() {
  const fleet = await startChild<{ ports: number[] }>('./fleetProcess', { options: size });
  const service = await startChild<{ url: string }>('./serviceProcess', {
    env: {
      PORT: '0',
      PUBSUB_SERVERS: fleet.ready.ports.map((port) => `127.0.0.1:${port}`).join(','),
      LINGER_MS: '0',
      RESYNC_INTERVAL_MS: '3600000',
    },
    node: ['--expose-gc'],
  });
  const { url } = service.ready;
  const stateOf = () => got(`${url}/api/state`).json<State>();
  await until(async () => (await stateOf()).state === 'inactive');
  /** The longest turn while something goes on. */
  const during = async (work: () => Promise<unknown>) => {
    await service.ask('reset');
    await work();
    return (await service.ask<Usage>('read')).longestTurnMs;
  };
  const { heldMb: before } = await service.ask<Usage>('read');
  const viewers: BenchChild<object>[] = [];
  /** Another viewer, until it has every room. */
  const watch = async () => {
    const options = { url, path: '/api/events?stream=changes', viewers: 1, readers: 1 };
    const viewer = await startViewers(options);
    viewers.push(viewer);
    await until(async () => {
      const { rooms, connections } = await viewer.ask<Size>('size');
      return rooms === entries && connections === 2 * entries;
    }, 100);
  };
  const activationMs = await during(watch);
  const { heldMb: after } = await service.ask<Usage>('read');
  const newViewerMs = await during(watch);
  const deactivationMs = await during(async () => {
    await Promise.all(viewers.map((viewer) => viewer.stop()));
    await until(async () => (await stateOf()).state === 'inactive', 100);
  });
  await service.stop();
  await fleet.stop();
  const bytesPerEntry = ((after - before) * 2 ** 20) / entries;
  return { bytesPerEntry, activationMs, newViewerMs, deactivationMs };
}

const results: Awaited<ReturnType<typeof oneRound>>[] = [];
for (let round = 0; round < rounds; round += 1) results.push(await oneRound());

function figureOf(figure: string, unit: string, aim: number, name: keyof (typeof results)[number]) {
  const values = results.map((result) => result[name]);
  return { figure, unit, ours: median(values), aim, best: Math.min(...values) } satisfies Figure;
}

report('1,000 servers × 1,000 rooms, a million names', [
  figureOf('memory for each room and server', 'bytes', 150, 'bytesPerEntry'),
  figureOf('longest turn of the event loop, activation', 'ms', 50, 'activationMs'),
  figureOf('longest turn, another viewer comes', 'ms', 50, 'newViewerMs'),
  figureOf('longest turn, deactivation', 'ms', 50, 'deactivationMs'),
]);
