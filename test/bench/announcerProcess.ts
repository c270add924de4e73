/** A process in which people announce themselves on a room's presence channel, as their editors do. */
import { Redis } from 'ioredis';
import * as encoding from 'lib0/encoding';
import { answerUsage } from './usage.js';

/** So many people, each so many times a second, with states of so many bytes. */
export interface Announcing {
  room: string;
  people: number;
  hz: number;
  bytes: number;
  seconds: number;
}

const { redisUrl } = JSON.parse(process.argv[2] ?? '{}') as { redisUrl: string };
const redis = new Redis(redisUrl);
/** Of all people; it grows with every announcement, of whichever run. */
let clock = 0;

const padding = 'x'.repeat(100_000);

function updateOf(client: number, bytes: number): Buffer {
  const encoder = encoding.createEncoder();
  for (const number of [1, client, clock]) encoding.writeVarUint(encoder, number);
  const state = { user: { name: `Person ${client}` }, cursor: clock, rest: '' };
  state.rest = padding.slice(0, Math.max(0, bytes - JSON.stringify(state).length));
  encoding.writeVarString(encoder, JSON.stringify(state));
  return Buffer.from(encoding.toUint8Array(encoder));
}

async function announce({ room, people, hz, bytes, seconds }: Announcing): Promise<number> {
  const began = performance.now();
  for (let round = 0; round < hz * seconds; round += 1) {
    clock += 1;
    // One by one in the time between two rounds, as people are not in step.
    for (let client = 1; client <= people; client += 1) {
      const dueMs = ((round + client / people) * 1000) / hz;
      const early = dueMs - (performance.now() - began);
      if (early > 2) await new Promise((resolve) => setTimeout(resolve, early));
      void redis.publish(`${room}-presence`, updateOf(client, bytes));
    }
  }
  await redis.ping();
  return clock;
}

answerUsage();
process.on('message', async (message: Announcing & { type: string }) => {
  if (message.type !== 'announce') return;
  const began = performance.now();
  const last = await announce(message);
  process.send?.({ type: 'announce', clock: last, tookMs: performance.now() - began });
});
await redis.ping();
process.send?.({ type: 'listening' });
