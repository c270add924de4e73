/**
 * A room of 20 MB is watched as JSON and as updates: the longest turn of the service's event loop from
 * before its viewers come until both have all of it.
 */
import { openEventStream } from '../support/eventStream.js';
import { startChild, stopAll } from './children.js';
import { inRounds, isQuick, report } from './figures.js';
import { measure, thisProcess } from './measure.js';
import { startService } from './stage.js';
import { until } from './within.js';

const rounds = isQuick ? 2 : 7;
const bytes = 20_000_000;

const hasState = ({ event }: { event?: string | undefined }) => event === 'state';

/** Both viewers come; resolves with the bytes of the state as an update. */
async function watch(url: string): Promise<number> {
  const path = '/api/rooms/big/events';
  const json = await openEventStream(url, { path });
  const updates = await openEventStream(url, { path: `${path}?as=updates` });
  await until(
    'both viewers have the state',
    () => json.messages.some(hasState) && updates.messages.some(hasState),
  );
  const [state] = updates.messages.filter(hasState);
  await Promise.all([json.close(), updates.close()]);
  return Buffer.from(JSON.parse(state?.data ?? '{}').update, 'base64').length;
}

async function oneRound() {
  const holder = await startChild<{ port: number; bytes: number }>('./roomServerProcess', {
    options: { bytes },
  });
  const server = `127.0.0.1:${holder.ready.port}`;
  const service = await startService([server], { MAX_ROOM_BYTES: '64 MiB' });
  const load = [holder, thisProcess];
  const measured = await measure(service, load, () => watch(service.ready.url));
  if (measured.result < holder.ready.bytes)
    throw new Error(`wrong: ${measured.result} bytes were sent`);
  await stopAll(service, holder);
  return measured;
}

const results = await inRounds(rounds, oneRound);
report('a room of 20 MB is watched as JSON and as updates', [
  {
    figure: 'longest turn of the event loop',
    unit: 'ms',
    aim: 50,
    rounds: results.map(({ result, longestTurnMs, tookMs, after, loadShare }) => ({
      ours: longestTurnMs,
      loadShare,
      notes: { 'both have it, ms': tookMs, 'memory, MB': after.rssMb, MB: result / 1e6 },
    })),
  },
]);
