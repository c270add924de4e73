/** A process with an agent, whose documents are a plain map. It opens and closes connections when told. */
import { createAgent } from '../../server/agent/createAgent.js';
import { answerUsage } from './usage.js';

/** How connections open and close: half of the changes are opens, half closes. */
export interface Churn {
  perSecond: number;
  seconds: number;
}

const { rooms: count } = JSON.parse(process.argv[2] ?? '{}') as { rooms: number };
const rooms = new Map<string, number>();
for (let index = 0; index < count; index += 1)
  rooms.set(`workspace/document-${index}`, 1 + (index % 3));
const names = [...rooms.keys()];

const agent = createAgent({
  url: [],
  host: '127.0.0.1',
  documents: { connections, encodedState: () => undefined },
});

/** Processor time of the turn that took the last snapshot. */
let turnMs = 0;

/** A turn also waits for a processor, so its length on a busy machine says little. */
function connections(): Map<string, number> {
  const before = process.cpuUsage();
  setImmediate(() => {
    const { user, system } = process.cpuUsage(before);
    turnMs = (user + system) / 1000;
  });
  return rooms;
}

answerUsage();
process.on('message', async (message: { type: string } & Churn) => {
  if (message.type === 'turn') process.send?.({ type: 'turn', turnMs });
  if (message.type === 'churn') process.send?.({ type: 'churn', changes: await churn(message) });
});
const { port } = await agent.start();
process.send?.({ type: 'listening', port });

/** Resolves with the number of changes. */
function churn({ perSecond, seconds }: Churn): Promise<number> {
  const beganMs = performance.now();
  let done = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const tookMs = performance.now() - beganMs;
      for (; done < (tookMs * perSecond) / 1000; done += 1) change(done);
      if (tookMs < seconds * 1000) return;
      clearInterval(timer);
      resolve(done);
    }, 10);
  });
}

/** Opens a connection, and closes it with the next change. */
function change(index: number): void {
  const name = names[Math.floor(index / 2) % names.length] ?? '';
  const add = index % 2 === 0 ? 1 : -1;
  rooms.set(name, (rooms.get(name) ?? 0) + add);
  if (add === 1) agent.opened(name);
  else agent.closed(name);
}
