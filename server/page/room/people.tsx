import { useState } from 'preact/hooks';
import type { RoomClient, RoomPeople } from '../../wire/awareness.js';
import { clockSkewMs } from '../api.js';
import type { Known } from '../model/whatIsKnown.js';
import { plainNode } from '../tree/plainNode.js';
import { Tree } from '../tree/tree.js';
import { countWord, formatNumber } from '../ui/numbers.js';
import { peopleCount } from './roomNumbers.js';
import { sinceWords } from './sinceWords.js';
import { userOf } from './userOf.js';
import { byteWord, notTold } from './words.js';

const firstShown = 30;

/** The people in the room, by their awareness states. */
export function People({
  people,
  connections,
  isTold,
}: {
  people: RoomPeople;
  connections: Known;
  /** Whether the service has told anything of the room. */
  isTold: boolean;
}) {
  const { clients, leftOut } = people;
  const [isAll, setIsAll] = useState(false);
  const shown = isAll ? clients : clients.slice(0, firstShown);
  const count = clients.length + leftOut;
  return (
    <section class="card" aria-labelledby="watched-people">
      <div class="card-head">
        <h2 id="watched-people">In the room</h2>
        <span class="quiet">{peopleCount(count, connections)}</span>
      </div>
      {count === 0 && <p class="quiet">{isTold ? nobodyWords(people) : notTold}</p>}
      <ul class="watched-people">
        {shown.map((client) => (
          <Person key={client.client} client={client} lookedSince={people.since} />
        ))}
      </ul>
      {shown.length < clients.length && (
        <button type="button" class="button bare" onClick={() => setIsAll(true)}>
          Show all {formatNumber(clients.length)}
        </button>
      )}
      {count > 0 && <Doubts people={people} />}
      {count > 0 && connections.is === 'known' && connections.value > count && (
        <p class="quiet small">
          The others have not announced themselves. Editors do so every 15 seconds.
        </p>
      )}
    </section>
  );
}

/** Why the list may be incomplete or out of date. */
function Doubts({ people: { leftOut, dropped, since } }: { people: RoomPeople }) {
  return (
    <>
      {leftOut > 0 && (
        <p class="quiet small">
          {formatNumber(leftOut)} more {leftOut === 1 ? 'is' : 'are'} here. The service lists up to
          1,000.
        </p>
      )}
      {dropped > 0 && (
        <p class="quiet small">
          {countWord(dropped, 'announcement')} came too fast and {dropped === 1 ? 'was' : 'were'}{' '}
          skipped. Editors repeat them within 15 seconds.
        </p>
      )}
      {since === null && (
        <p class="small tone-warn">No announcements arrive, so this list may be out of date.</p>
      )}
    </>
  );
}

function nobodyWords({ since }: RoomPeople): string {
  if (since === null) return 'Unknown: no announcements arrive from Redis or from the servers.';
  return 'No editor has announced itself yet. Editors do so every 15 seconds.';
}

function Person({
  client: { client, since, state, omitted, bytes = 0 },
  lookedSince,
}: {
  client: RoomClient;
  /** When the service began to look. */
  lookedSince: string | null;
}) {
  const [isOpen, setIsOpen] = useState(false);
  const { name, color } = userOf(state);
  const node = plainNode(state, { key: 'state', label: '' });
  return (
    <li>
      <button
        type="button"
        class="watched-person"
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
      >
        {/* Browsers ignore an invalid color. */}
        <span class="swatch" style={{ backgroundColor: color }} aria-hidden="true" />
        <bdi class="cut">{name ?? `Client ${client}`}</bdi>
        {omitted && <span class="badge warn">{omittedWords[omitted]}</span>}
        {since !== undefined && (
          <span class="quiet small person-since">
            {sinceWords(since, lookedSince, clockSkewMs.value)}
          </span>
        )}
      </button>
      {isOpen && name !== undefined && <p class="quiet small">Client {client}</p>}
      {isOpen && omitted && (
        <p class="quiet small">
          This state has {byteWord(bytes)} of JSON and is not shown. The limits are 64 KiB for one
          state, 1 MiB for all, and 100 levels.
        </p>
      )}
      {isOpen && !omitted && (
        <Tree nodes={node.children?.(1000) ?? [node]} label="Announced state" />
      )}
    </li>
  );
}

const omittedWords = { too_large: 'state too large', too_deep: 'state too deep' };
