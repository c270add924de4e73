import { useMemo } from 'preact/hooks';
import { clockSkewMs } from '../api.js';
import { now } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import { Unknown } from '../ui/count.js';
import { agentFacts } from './agentFacts.js';
import { ServerName } from './serverName.js';

/** What servers with an agent tell of themselves; nothing while none does. */
export function AgentTable({ rows }: { rows: readonly ServerRow[] }) {
  if (rows.every(({ agent }) => agent === undefined)) return null;
  return (
    <div class="card flush agent-card">
      <table class="table agent-table" aria-label="What the servers tell of themselves">
        <thead>
          <tr>
            <th scope="col">Server</th>
            {agentFacts.map(({ title, meaning, isNumber }) => (
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
  const texts = agentFacts.map(({ text }) =>
    agent ? text(agent, now.value + clockSkewMs.value) : null,
  );
  return useMemo(
    () => (
      <tr data-agent={row.id}>
        <th scope="row" class="row-head">
          <ServerName id={row.id} name={row.name} />
        </th>
        {agentFacts.map(({ title, isNumber, isBad }, index) => (
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
