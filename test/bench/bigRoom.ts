/**
 * A room of 20 MB is watched as JSON and as updates: the longest turn of the service's event loop from
 * before its viewers come until both have all of it.
 */
import { openEventStream } from '../support/eventStream.js';
import { startChild } from './children.js';
import { median, report, until } from './figures.js';
import type { Usage } from './usage.js';

const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 2 : 7;
const bytes = 20_000_000;

async function oneRound() {
  const holder = await startChild<{ port: number; bytes: number }>('./roomServerProcess', {
    options: { bytes },
  });
  const server = `127.0.0.1:${holder.ready.port}`;
  const service = await startChild<{ url: string }>('./serviceProcess', {
    env: { PORT: '0', PUBSUB_SERVERS: server, MAX_ROOM_BYTES: '64 MiB' },
  });
  const { url } = service.ready;
  await service.ask('reset');
  const path = '/api/rooms/big/events';
  const json = await openEventStream(url, { path });
  const updates = await openEventStream(url, { path: `${path}?as=updates` });
  const hasState = ({ event }: { event?: string | undefined }) => event === 'state';
  const wholeMs = await until(
    () => json.messages.some(hasState) && updates.messages.some(hasState),
  );
  const { longestTurnMs, rssMb } = await service.ask<Usage>('read');
  const [state] = updates.messages.filter(hasState);
  const sent = Buffer.from(JSON.parse(state?.data ?? '{}').update, 'base64').length;
  if (sent < holder.ready.bytes) throw new Error(`wrong: ${sent} bytes were sent`);
  await Promise.all([json.close(), updates.close()]);
  await service.stop();
  await holder.stop();
  return { wholeMs, longestTurnMs, rssMb, roomMb: sent / 1e6 };
}

const results: Awaited<ReturnType<typeof oneRound>>[] = [];
for (let round = 0; round < rounds; round += 1) results.push(await oneRound());
const of = (name: keyof (typeof results)[number]) => median(results.map((result) => result[name]));
report('a room of 20 MB is watched as JSON and as updates', [
  {
    figure: 'longest turn of the event loop',
    unit: 'ms',
    ours: of('longestTurnMs'),
    aim: 50,
    best: Math.min(...results.map(({ longestTurnMs }) => longestTurnMs)),
    notes: { 'both have it, ms': of('wholeMs'), 'memory, MB': of('rssMb'), MB: of('roomMb') },
  },
]);
