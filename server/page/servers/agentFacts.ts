import type { ServerAgent } from '../../wire/serverView.js';
import { formatNumber, toMebibytes } from '../ui/numbers.js';
import { age } from '../ui/time.js';

/** A fact that servers tell of themselves. */
export interface AgentFact {
  title: string;
  /** What the title means. */
  meaning: string;
  isNumber?: boolean;
  /** Null: this server does not tell. `nowMs`: by the service's clock. */
  text: (agent: ServerAgent, nowMs: number) => string | null;
  /** Whether the fact is bad news. */
  isBad?: (agent: ServerAgent) => boolean;
}

/** What the table of all servers shows. */
export const agentFacts: readonly AgentFact[] = [
  { title: 'Runs in', meaning: 'The program around the agent', text: ({ host }) => host },
  { title: 'Agent', meaning: 'Version of the agent', text: ({ version }) => version },
  {
    title: 'Up',
    meaning: 'Time since its process started',
    isNumber: true,
    text: ({ startedAt }, nowMs) =>
      startedAt === null ? null : age(nowMs - Date.parse(startedAt)),
  },
  {
    title: 'Memory',
    meaning: 'Resident set of its process',
    isNumber: true,
    text: ({ memoryBytes }) =>
      memoryBytes === null ? null : `${formatNumber(toMebibytes(memoryBytes))} MiB`,
  },
  {
    title: 'Loop delay',
    meaning: '99th percentile of the delay of its event loop',
    isNumber: true,
    text: ({ eventLoopDelayMs }) =>
      eventLoopDelayMs === null ? null : `${formatNumber(Math.round(eventLoopDelayMs))} ms`,
  },
  {
    title: 'In memory',
    meaning: 'Documents in memory',
    isNumber: true,
    text: ({ documents }) => documents && formatNumber(documents.inMemory),
  },
  {
    title: 'Idle',
    meaning: 'Documents in memory with nobody connected',
    isNumber: true,
    text: ({ documents }) => documents && formatNumber(documents.idle),
  },
  {
    title: 'To store',
    meaning: 'Documents that wait to be stored',
    isNumber: true,
    text: ({ stores }) => stores && formatNumber(stores.pending),
  },
  {
    title: 'Not stored',
    meaning: 'Documents that could not be stored',
    isNumber: true,
    text: ({ stores }) => stores && formatNumber(stores.failed),
    isBad: ({ stores }) => stores !== null && stores.failed > 0,
  },
];

/** What the page of one server shows besides. */
export const moreAgentFacts: readonly AgentFact[] = [
  { title: 'Node.js', meaning: 'Version of Node.js', text: ({ node }) => node },
];
