import type { ComponentChildren } from 'preact';
import { clockSkewMs } from '../api.js';
import { isCurrent, numbersOf } from '../model/fleet.js';
import { now } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import type { ServerRow } from '../model/serverList.js';
import type { Known } from '../model/whatIsKnown.js';
import { agentFacts, moreAgentFacts } from '../servers/agentFacts.js';
import { CopyButton } from '../ui/copyButton.js';
import { Unknown } from '../ui/count.js';
import { KnownNumber } from '../ui/knownNumber.js';
import { agoText, Moment } from '../ui/moment.js';

/** What is known of a server: its numbers, where it posts to, and what it tells of itself. */
export function ServerFacts({ row }: { row: ServerRow }) {
  const { agent, drift = null, callback } = row;
  const { rooms } = numbersOf(row);
  const nowMs = now.value + clockSkewMs.value;
  return (
    <section class="card" aria-labelledby="server-facts">
      <div class="card-head">
        <h2 id="server-facts">Facts</h2>
        <span class="spacer" />
        {agent && (
          <span class="quiet small moment-row">
            told <Moment at={agent.toldAt} text={agoText(agent.toldAt)} />
          </span>
        )}
      </div>
      <dl class="server-facts">
        <Fact title="Rooms" meaning="Rooms with a connection on it">
          <KnownNumber number={rooms} />
        </Fact>
        <Fact
          title="Drift"
          meaning="Connections by which its counts were wrong when a snapshot corrected them, since it is counted"
        >
          <KnownNumber number={withValue(rooms, drift)} />
        </Fact>
        {agent &&
          [...agentFacts, ...moreAgentFacts].map(({ title, meaning, text, isBad }) => {
            const words = text(agent, isCurrent.value ? nowMs : Date.parse(agent.toldAt));
            return (
              <Fact key={title} title={title} meaning={meaning} isBad={isBad?.(agent) ?? false}>
                {words === null ? <Unknown /> : visible(words)}
              </Fact>
            );
          })}
        <Fact title="Posts to" meaning="Where it was told to post its changes" isWide>
          {callback === null ? (
            <Unknown />
          ) : (
            <>
              <code>{visible(callback)}</code>{' '}
              <CopyButton text={callback} label="callback address" />
            </>
          )}
        </Fact>
        {agent && agent.capabilities.length > 0 && (
          <Fact title="Can" meaning="Optional parts of the protocol that it speaks" isWide>
            {agent.capabilities.map(visible).join(', ')}
          </Fact>
        )}
      </dl>
      {!agent && (
        <p class="quiet small">
          It tells nothing of its process. A server with <code>@pubsub-dashboard/agent</code> tells
          its version, memory, loop delay and documents.
        </p>
      )}
    </section>
  );
}

/** Another number of the same moment; null: unknown. */
function withValue(number: Known, value: number | null): Known {
  if (value === null) return { is: 'unknown' };
  return number.is === 'past' ? { ...number, value } : { is: 'known', value };
}

function Fact({
  title,
  meaning,
  isBad = false,
  isWide = false,
  children,
}: {
  title: string;
  meaning: string;
  isBad?: boolean;
  isWide?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div data-fact={title} class={isWide ? 'wide' : ''}>
      <dt title={meaning}>{title}</dt>
      <dd class={isBad ? 'tone-bad server-bad' : ''}>{children}</dd>
    </div>
  );
}
