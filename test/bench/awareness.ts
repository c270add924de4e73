/**
 * 200 people announce themselves 20 times a second, with 1 kB each, in a room that two viewers watch (one
 * for everybody, one for changes): the longest turn of the service's event loop, beside that of the same
 * load in a room that nobody watches.
 */
import got from 'got';
import { startLocalRedis } from '../../server/demo/localRedis.js';
import { type EventStream, openEventStream } from '../support/eventStream.js';
import type { Announcing } from './announcerProcess.js';
import { startChild, stopAll } from './children.js';
import { inRounds, isQuick, report } from './figures.js';
import { measure, thisProcess } from './measure.js';
import { startService } from './stage.js';
import { until } from './within.js';

const rounds = isQuick ? 2 : 5;
const load: Omit<Announcing, 'room'> = {
  people: 200,
  hz: 20,
  bytes: 1000,
  seconds: isQuick ? 4 : 10,
};

interface Told {
  clients: { client: number; state: { cursor: number } }[];
}

const framesOf = ({ messages }: EventStream) =>
  messages.filter(({ event }) => event?.startsWith('awareness'));

/** By client, what a viewer was told last of the cursor. */
function cursorsOf(stream: EventStream): Map<number, number> {
  const cursors = new Map<number, number>();
  for (const { data } of framesOf(stream))
    for (const { client, state } of (JSON.parse(data) as Told).clients)
      cursors.set(client, state.cursor);
  return cursors;
}

/** Asks `/health` again and again until the answer is called; that says how long the slowest took. */
function askHealth(url: string): () => Promise<number> {
  let isOver = false;
  const asking = (async () => {
    let slowest = 0;
    while (!isOver) {
      const began = performance.now();
      await got(`${url}/health`);
      slowest = Math.max(slowest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return slowest;
  })();
  return () => {
    isOver = true;
    return asking;
  };
}

async function oneRound() {
  const redis = await startLocalRedis();
  const holder = await startChild<{ port: number }>('./roomServerProcess', {
    options: { bytes: 1000 },
  });
  const announcer = await startChild<object>('./announcerProcess', {
    options: { redisUrl: redis.url },
  });
  const service = await startService([`127.0.0.1:${holder.ready.port}`], { REDIS_URL: redis.url });
  const { url } = service.ready;
  const path = '/api/rooms/r/events';
  const whole = await openEventStream(url, { path });
  const changes = await openEventStream(url, { path: `${path}?as=updates&awareness=changes` });
  await until('announcements are followed', () =>
    framesOf(changes).some(({ data }) => JSON.parse(data).since),
  );
  const announce = (room: string) => async () => {
    const health = askHealth(url);
    const said = await announcer.ask<{ clock: number; tookMs: number }>('announce', {
      room,
      ...load,
    });
    return { ...said, healthMs: await health() };
  };
  const processes = [announcer, thisProcess];
  const unwatched = await measure(service, processes, announce('elsewhere'));
  const [before, bytesBefore] = [framesOf(changes).length, bytesOf(changes)];
  const watched = await measure(service, processes, announce('r'));
  const frames = framesOf(changes).length - before;
  const bytes = bytesOf(changes) - bytesBefore;
  const { clock, tookMs } = watched.result;
  for (const viewer of [whole, changes])
    await until('a viewer knows the last of everybody', () => {
      const cursors = [...cursorsOf(viewer).values()];
      return cursors.length === load.people && cursors.every((cursor) => cursor === clock);
    });
  await Promise.all([whole.close(), changes.close()]);
  await stopAll(service, announcer, holder);
  await redis.stop();
  if (tookMs > load.seconds * 1500) throw new Error(`the load took ${tookMs} ms`);
  return { unwatched, watched, framesPerSecond: (frames / tookMs) * 1000, mb: bytes / 1e6 };
}

const bytesOf = (stream: EventStream) =>
  framesOf(stream).reduce((sum, { data }) => sum + data.length, 0);

const results = await inRounds(rounds, oneRound);
report('200 people announce themselves 20 times a second in a watched room', [
  {
    figure: 'longest turn of the event loop',
    unit: 'ms',
    aim: 50,
    rounds: results.map(({ unwatched, watched, framesPerSecond, mb }) => ({
      ours: watched.longestTurnMs,
      loadShare: watched.loadShare,
      notes: {
        'in an unwatched room, ms': unwatched.longestTurnMs,
        'slowest answer of /health, ms': watched.result.healthMs,
        'the same beside an unwatched room, ms': unwatched.result.healthMs,
        'frames of changes a second': framesPerSecond,
        'MB of them': mb,
        'processor share of the service': watched.cpuMs / watched.tookMs,
      },
    })),
  },
]);
