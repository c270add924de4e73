import { type Agent, type AgentOptions, createAgent } from '../../../server/agent/createAgent.js';
import type { Timings } from '../../../server/agent/timings.js';
import { owns, type Received } from '../demo/support.js';

/** An agent for one test, with the server's documents as plain maps. */
export interface StartedAgent {
  readonly agent: Agent;
  readonly port: number;
  readonly connections: Map<string, number>;
  /** What the agent has logged: `info: ...` and `warn: ...`. */
  readonly logged: string[];
}

/** Short enough for a test, long enough for a busy machine. */
const shortTimings = { firstRetryMs: 20, maxRetryMs: 40, askAgainMs: 50 };

/** Starts an agent that registers nowhere unless told, and closes it after the test. */
export async function startAgent(
  options: Partial<AgentOptions> = {},
  timings: Partial<Timings> = {},
): Promise<StartedAgent> {
  const connections = new Map<string, number>();
  const logged: string[] = [];
  const documents = {
    connections: () => connections,
    encodedState: (room: string) =>
      connections.has(room) ? Buffer.from(`state of ${room}`) : undefined,
    encodedAwareness: (room: string) =>
      connections.get(room) ? Buffer.from(`awareness of ${room}`) : undefined,
  };
  const log = {
    info: (text: string) => logged.push(`info: ${text}`),
    warn: (text: string) => logged.push(`warn: ${text}`),
  };
  const agent = createAgent(
    { url: [], host: '127.0.0.1', log, documents, ...options },
    { ...shortTimings, ...timings },
  );
  owns(agent, (it) => it.close());
  return { agent, port: (await agent.start()).port, connections, logged };
}

/** The answer of a dashboard to a query. */
export const answerOf = (active: boolean, eventsUrl: string) => () => ({
  status: 200,
  body: JSON.stringify({ active, eventsUrl }),
});

/** The parameters of the queries that a dashboard received. */
export const queriesIn = (received: readonly Received[]) =>
  received
    .filter(({ method }) => method === 'GET')
    .map(({ url }) => Object.fromEntries(new URL(url, 'http://x').searchParams));
