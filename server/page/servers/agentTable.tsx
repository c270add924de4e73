import { useMemo } from 'preact/hooks';
import { clockSkewMs } from '../api.js';
import { isCurrent } from '../model/fleet.js';
import { now } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import { Unknown } from '../ui/count.js';
import { type RowPlace, VirtualBody } from '../ui/virtualBody.js';
import { agentFacts } from './agentFacts.js';
import { ServerName } from './serverName.js';

const usualHeight = 36;

/** What servers with an agent tell of themselves; nothing while none does. */
export function AgentTable({ rows }: { rows: readonly ServerRow[] }) {
  const names = useMemo(() => rows.map(({ id }) => id), [rows]);
  if (rows.every(({ agent }) => agent === undefined)) return null;
  return (
    <div class="card flush agent-card">
      <table
        class={`table agent-table ${isCurrent.value ? '' : 'past'}`}
        aria-label="What the servers tell of themselves"
        aria-rowcount={rows.length + 1}
      >
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">Server</th>
            {agentFacts.map(({ title, meaning, isNumber }) => (
              <th key={title} scope="col" title={meaning} class={isNumber ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <VirtualBody names={names} usualHeight={usualHeight} columns={agentFacts.length + 1}>
          {(index, place) => {
            const row = rows[index];
            return row && <AgentRow key={row.id} row={row} place={place} />;
          }}
        </VirtualBody>
      </table>
    </div>
  );
}

/** One server. Memoized, because the table is drawn again while it scrolls. */
function AgentRow({ row, place }: { row: ServerRow; place: RowPlace }) {
  const { agent } = row;
  const nowMs = now.value + clockSkewMs.value;
  const texts = agentFacts.map(({ text }) =>
    agent ? text(agent, isCurrent.value ? nowMs : Date.parse(agent.toldAt)) : null,
  );
  return useMemo(
    () => (
      <tr data-agent={row.id} {...place.row}>
        <th scope="row" class="row-head">
          <ServerName id={row.id} name={row.name} tabIndex={place.tabIndex} />
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
    [row, texts.join('\n'), place.row['aria-rowindex'], place.tabIndex],
  );
}

function FactText({ text }: { text: string | null }) {
  return text === null ? <Unknown /> : <span>{visible(text)}</span>;
}
