import got from 'got';
import { type BenchChild, startChild } from './children.js';
import { until } from './figures.js';
import type { Seen } from './viewersProcess.js';

/** A service that counts one posting server, each in a process of its own. */
export interface Stage {
  poster: BenchChild<{ id: string }>;
  service: BenchChild<{ url: string }>;
}

/** Starts a poster with so many rooms, and a service that knows it. */
export async function startStage(
  rooms: number,
  env: Record<string, string> = {},
  node: string[] = [],
): Promise<Stage> {
  const poster = await startChild<{ id: string }>('./posterProcess', { options: { rooms } });
  const service = await startChild<{ url: string }>('./serviceProcess', {
    env: {
      PORT: '0',
      PUBSUB_SERVERS: poster.ready.id,
      RESYNC_INTERVAL_MS: '3600000',
      MAX_VIEWERS: '20000',
      MAX_VIEWERS_PER_ADDRESS: '20000',
      ...env,
    },
    node,
  });
  return { poster, service };
}

export interface ViewersOptions {
  url: string;
  path: string;
  viewers: number;
  readers: number;
}

export const startViewers = (options: ViewersOptions) =>
  startChild<object>('./viewersProcess', { options });

/** Resolves when the one server of a stage is in the numbers. */
export async function untilLive({ service }: Stage): Promise<void> {
  const { url } = service.ready;
  await until(async () => (await got(`${url}/api/state`).json<{ live: number }>()).live === 1);
}

/** Resolves when the readers have what the poster knows to be true; rejects when they never do. */
export async function untilTrue(viewers: BenchChild<object>, poster: Stage['poster']) {
  const { rooms } = await poster.ask<{ rooms: [string, number][] }>('truth');
  const counts = new Map(rooms);
  await until(async () => {
    const seen = await viewers.ask<Seen>('seen');
    const isSame = ([room, count]: [string, number]) => counts.get(room) === count;
    return seen.rooms.length === counts.size && seen.rooms.every(isSame);
  });
}
