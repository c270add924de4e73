import { useState } from 'preact/hooks';
import type { RoomClient, RoomPeople } from '../../wire/awareness.js';
import { visible } from '../model/roomNames.js';
import { cutText, plainNode } from '../tree/plainNode.js';
import { Tree } from '../tree/tree.js';
import { byteWord, countWord } from './words.js';

const firstShown = 30;

/** Who is in the room, by what they announce of themselves. */
export function People({ people }: { people: RoomPeople }) {
  const { clients, leftOut } = people;
  const [isAll, setIsAll] = useState(false);
  const shown = isAll ? clients : clients.slice(0, firstShown);
  const count = clients.length + leftOut;
  return (
    <section class="card" aria-labelledby="watched-people">
      <div class="card-head">
        <h2 id="watched-people">In the room</h2>
        <span class="quiet">{count > 0 && count.toLocaleString('en')}</span>
      </div>
      {count === 0 && <p class="quiet">{nobodyWords(people)}</p>}
      <ul class="watched-people">
        {shown.map((client) => (
          <Person key={client.client} client={client} />
        ))}
      </ul>
      {shown.length < clients.length && (
        <button type="button" class="button bare" onClick={() => setIsAll(true)}>
          Show all {clients.length.toLocaleString('en')}
        </button>
      )}
      {count > 0 && <Doubts people={people} />}
    </section>
  );
}

/** In which ways the list may be short, or old. */
function Doubts({ people: { leftOut, dropped, since } }: { people: RoomPeople }) {
  return (
    <>
      {leftOut > 0 && (
        <p class="quiet small">
          {leftOut.toLocaleString('en')} more {leftOut === 1 ? 'is' : 'are'} here and not listed:
          the service lists 1,000.
        </p>
      )}
      {dropped > 0 && (
        <p class="quiet small">
          {countWord(dropped, 'announcement')} came too fast to be read. They come again within 15
          seconds.
        </p>
      )}
      {since === null && (
        <p class="small tone-warn">
          Announcements do not arrive now: who is listed may have left, and others may have come.
        </p>
      )}
    </>
  );
}

function nobodyWords({ since }: RoomPeople): string {
  if (since === null)
    return 'It is not known who is here: only Redis tells, and nothing comes from it.';
  return 'Nobody has announced themselves. Editors do so again every 15 seconds.';
}

const maxNameLength = 80;

function Person({ client: { client, state, omitted, bytes = 0 } }: { client: RoomClient }) {
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
        {/* A colour that is none is passed over. */}
        <span class="swatch" style={{ backgroundColor: color }} aria-hidden="true" />
        <bdi class="cut">{name ?? `Client ${client}`}</bdi>
        {omitted && <span class="badge warn">{omittedWords[omitted]}</span>}
        {name !== undefined && <span class="quiet small">client {client}</span>}
      </button>
      {isOpen && omitted && (
        <p class="quiet small">
          What it announces has {byteWord(bytes)} of JSON, and is not shown: the service shows 64
          KiB of one state, 1 MiB of all, and 100 levels.
        </p>
      )}
      {isOpen && !omitted && (
        <Tree nodes={node.children?.(1000) ?? [node]} label="What it announces" />
      )}
    </li>
  );
}

const omittedWords = { too_large: 'state too large', too_deep: 'state too deep' };

/** The fields that editors agree on; both come from strangers. */
function userOf(state: unknown): { name: string | undefined; color: string | undefined } {
  const user = field(state, 'user');
  const [name, color] = [field(user, 'name'), field(user, 'color')];
  const isNamed = typeof name === 'string' && name !== '';
  return {
    name: isNamed ? visible(cutText(name, maxNameLength)) : undefined,
    color: typeof color === 'string' ? color : undefined,
  };
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
