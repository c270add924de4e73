import { useMemo } from 'preact/hooks';
import type { ServerAgent } from '../../wire/serverView.js';
import { clockSkewMs } from '../api.js';
import { now } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import { Unknown } from '../ui/count.js';
import { formatNumber } from '../ui/numbers.js';
import { age } from '../ui/time.js';
import { ServerName } from './serverName.js';

/** A fact that servers tell. Null: this one does not. */
interface Fact {
  title: string;
  /** What the title means. */
  meaning: string;
  isNumber?: boolean;
  text: (agent: ServerAgent, nowMs: number) => string | null;
  /** Whether the fact is bad news. */
  isBad?: (agent: ServerAgent) => boolean;
}

const mebibyte = 1024 * 1024;

const facts: readonly Fact[] = [
  { title: 'Runs in', meaning: 'The program around the agent', text: ({ host }) => host },
  { title: 'Agent', meaning: 'Version of the agent', text: ({ version }) => version },
  {
    title: 'Up',
    meaning: 'Time since its process started',
    isNumber: true,
    text: ({ startedAt }, nowMs) =>
      startedAt === null ? null : age(nowMs + clockSkewMs.value - Date.parse(startedAt)),
  },
  {
    title: 'Memory',
    meaning: 'Resident set of its process',
    isNumber: true,
    text: ({ memoryBytes }) =>
      memoryBytes === null ? null : `${formatNumber(Math.round(memoryBytes / mebibyte))} MiB`,
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

/** What servers with an agent tell of themselves; nothing while none does. */
export function AgentTable({ rows }: { rows: readonly ServerRow[] }) {
  if (rows.every(({ agent }) => agent === undefined)) return null;
  return (
    <div class="card flush agent-card">
      <table class="table agent-table" aria-label="What the servers tell of themselves">
        <thead>
          <tr>
            <th scope="col">Server</th>
            {facts.map(({ title, meaning, isNumber }) => (
              <th key={title} scope="col" title={meaning} class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <AgentRow key={row.id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** One server. Memoized, because there may be a thousand rows. */
function AgentRow({ row }: { row: ServerRow }) {
  const { agent } = row;
  const texts = facts.map(({ text }) => (agent ? text(agent, now.value) : null));
  return useMemo(
    () => (
      <tr data-agent={row.id}>
        <th scope="row" class="row-head">
          <ServerName id={row.id} name={row.name} />
        </th>
        {facts.map(({ title, isNumber, isBad }, index) => (
          <td
            key={title}
            data-fact={title}
            class={`${isNumber ? 'number' : ''} ${agent && isBad?.(agent) ? 'tone-bad' : ''}`}
          >
            <FactText text={texts[index] ?? null} />
          </td>
        ))}
      </tr>
    ),
    [row, texts.join('\n')],
  );
}

function FactText({ text }: { text: string | null }) {
  return text === null ? <Unknown /> : <span>{visible(text)}</span>;
}
