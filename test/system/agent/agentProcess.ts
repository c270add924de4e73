/** A process with an agent and nothing else. Options and timings are its argument, as JSON. */
import process from 'node:process';
import { createAgent } from '../../../server/agent/createAgent.js';

/** What the parent tells the process to do. */
export type AgentCommand = { open: string[] } | { close: true };

const { options, timings, rooms = 0 } = JSON.parse(process.argv[2] ?? '{}');
const names = Array.from(
  { length: rooms },
  (_, index) => [`${'x'.repeat(20_000)}${index}`, 1] as const,
);
const agent = createAgent(
  { ...options, documents: { connections: () => names, encodedState: () => undefined } },
  timings,
);
// This alone keeps the process alive, until the parent disconnects.
process.on('message', async (command: AgentCommand) => {
  if ('open' in command) for (const room of command.open) agent.opened(room);
  if ('close' in command) {
    process.disconnect();
    await agent.close();
    process.stdout.write('closed');
  }
});
process.send?.({ port: (await agent.start()).port });
