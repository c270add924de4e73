/**
 * A pub-sub server answers an activation with the worst that fits into `MAX_SNAPSHOT_BYTES`: the longest
 * turn of the service's event loop until the answer is taken or refused, and what memory it takes.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import got from 'got';
import { openEventStream } from '../support/eventStream.js';
import { stopAll } from './children.js';
import { inRounds, isQuick, report } from './figures.js';
import { measure, thisProcess } from './measure.js';
import { startService } from './stage.js';
import { until } from './within.js';

const rounds = isQuick ? 2 : 5;
const bytes = 64 * 1024 * 1024;

const entry = (i: number) => `{"room-${String(i).padStart(9, '0')}":1},`;

const worst: Record<string, () => Buffer> = {
  'arrays in arrays': () => Buffer.alloc(bytes, '['),
  'as many rooms as there is place for': () => {
    const rooms = Math.floor((bytes - 2) / entry(0).length);
    const entries = Array.from({ length: rooms }, (_, i) => entry(i)).join('');
    return Buffer.from(`[${entries.slice(0, -1)}]`);
  },
  'one room again and again': () => {
    const text = '{"a":1},';
    return Buffer.from(`[${text.repeat(Math.floor((bytes - 2) / text.length)).slice(0, -1)}]`);
  },
};

interface View {
  state: string;
  lastFailure: string | null;
}

async function oneRound(body: Buffer) {
  let isTold = false;
  const host = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const isActivation = Buffer.concat(parts).includes('"active":true');
      isTold ||= isActivation;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(isActivation ? body : '"okay"');
    });
  });
  await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
  const id = `127.0.0.1:${(host.address() as AddressInfo).port}`;
  const service = await startService([id], {
    RESYNC_INTERVAL_MS: '3600000',
    REQUEST_TIMEOUT_MS: '20000',
  });
  const servers = () => got(`${service.ready.url}/api/servers`).json<View[]>();
  const measured = await measure(service, [thisProcess], async () => {
    const viewer = await openEventStream(service.ready.url);
    await until('the answer is taken or refused', async () => {
      const [view] = await servers();
      return isTold && (view?.state === 'live' || view?.lastFailure?.includes('snapshot') === true);
    });
    await viewer.close();
  });
  await stopAll(service);
  host.closeAllConnections();
  host.close();
  return { ...measured, grownMb: measured.after.rssMb - measured.before.rssMb };
}

for (const [kind, make] of Object.entries(worst)) {
  const body = make();
  const results = await inRounds(rounds, () => oneRound(body));
  report(`a snapshot of 64 MiB: ${kind}`, [
    {
      figure: 'longest turn of the event loop',
      unit: 'ms',
      aim: 100,
      rounds: results.map(({ longestTurnMs, tookMs, loadShare, grownMb }) => ({
        ours: longestTurnMs,
        loadShare,
        notes: { 'taken or refused, ms': tookMs, 'memory grown by, MB': grownMb },
      })),
    },
  ]);
}
