import got from 'got';
import { type BenchChild, startChild } from './children.js';
import type { PostResult, PostRun } from './posterProcess.js';
import type { Size, ViewersOptions } from './viewersProcess.js';
import { until } from './within.js';

/** A service that counts one posting server, each in a process of its own. */
export interface Stage {
  poster: BenchChild<{ id: string }>;
  service: BenchChild<{ url: string }>;
}

/** Starts a poster with so many rooms, and a service that knows it. `file`: see `startService`. */
export async function startStage(
  rooms: number,
  env: Record<string, string> = {},
  node: string[] = [],
  file?: string,
): Promise<Stage> {
  const poster = await startPoster(rooms);
  const more = { RESYNC_INTERVAL_MS: '3600000', MAX_VIEWERS: '20000', ...env };
  return { poster, service: await startService([poster.ready.id], more, node, file) };
}

/** Starts a pub-sub server with so many rooms, which posts when it is told. */
export const startPoster = (rooms: number) =>
  startChild<{ id: string }>('./posterProcess', { options: { rooms } });

/** Starts a service that knows these pub-sub servers. `file`: that of another build, without its extension. */
export const startService = (
  servers: readonly string[],
  env: Record<string, string> = {},
  node: string[] = [],
  file = './serviceProcess',
) =>
  startChild<{ url: string }>(file, {
    env: { PORT: '0', PUBSUB_SERVERS: servers.join(','), ...env },
    node,
  });

export const startViewers = (options: ViewersOptions) =>
  startChild<object>('./viewersProcess', { options });

/** What `GET /api/state` says. */
export interface State {
  state: string;
  complete: boolean;
  live: number;
  viewers: number;
}

export const stateOf = (service: Stage['service']) =>
  got(`${service.ready.url}/api/state`).json<State>();

/** Resolves when the one server of a stage is in the numbers. */
export const untilLive = ({ service }: Stage) =>
  until('the server is in the numbers', async () => (await stateOf(service)).live === 1);

/** Has the poster of a stage post; rejects when a post is refused. */
export async function post(
  poster: BenchChild<object>,
  run: PostRun,
): Promise<Omit<PostResult, 'refused'>> {
  const { refused, ...result } = await poster.ask<PostResult>('post', run);
  if (refused > 0) throw new Error(`${refused} posts were refused`);
  return result;
}

/** Resolves when all readers have what the poster knows to be true; rejects when they never do. */
export async function untilTrue(viewers: BenchChild<object>, poster: Stage['poster']) {
  const { rooms } = await poster.ask<{ rooms: [string, number][] }>('truth');
  await viewers.ask('expect', { rooms });
  await until(
    'the viewers have the true counts',
    async () => (await viewers.ask<{ readers: number }>('waiting')).readers === 0,
    10,
  );
}

/** Resolves when the last reader has so many rooms with so many connections in all. */
export async function untilSize(
  viewers: BenchChild<object>,
  { rooms, connections }: Pick<Size, 'rooms' | 'connections'>,
  waitMs = 10,
): Promise<Size> {
  let size: Size | undefined;
  const hasAll = async () => {
    size = await viewers.ask<Size>('size');
    return size.rooms === rooms && size.connections === connections;
  };
  await until(`a viewer has ${rooms} rooms with ${connections} connections`, hasAll, waitMs).catch(
    (cause) => {
      throw new Error(`it has ${JSON.stringify(size)}`, { cause });
    },
  );
  return size as Size;
}
