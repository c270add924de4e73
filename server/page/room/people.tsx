import { useState } from 'preact/hooks';
import { visible } from '../model/roomNames.js';
import { headOf, plainNode } from '../tree/plainNode.js';
import { Tree } from '../tree/tree.js';
import type { RoomClient, RoomStatus } from './roomMessages.js';

const firstShown = 30;

/** Who is in the room, by what they announce of themselves. */
export function People(props: { clients: readonly RoomClient[]; status: RoomStatus | undefined }) {
  const { clients, status } = props;
  const [isAll, setIsAll] = useState(false);
  const shown = isAll ? clients : clients.slice(0, firstShown);
  return (
    <section class="card" aria-labelledby="watched-people">
      <div class="card-head">
        <h2 id="watched-people">In the room</h2>
        <span class="quiet">{clients.length > 0 && clients.length.toLocaleString('en')}</span>
      </div>
      {clients.length === 0 && <p class="quiet">{nobodyWords(status)}</p>}
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
    </section>
  );
}

function nobodyWords(status: RoomStatus | undefined): string {
  if (status?.source === 'poll') return 'Only Redis tells who is here, and nothing comes from it.';
  return 'Nobody has announced themselves. Editors do so again every 15 seconds.';
}

const maxNameLength = 80;

function Person({ client: { client, state } }: { client: RoomClient }) {
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
        {name !== undefined && <span class="quiet small">client {client}</span>}
      </button>
      {isOpen && <Tree nodes={node.children?.(1000) ?? [node]} label="What it announces" />}
    </li>
  );
}

/** The fields that editors agree on; both come from strangers. */
function userOf(state: unknown): { name: string | undefined; color: string | undefined } {
  const user = field(state, 'user');
  const [name, color] = [field(user, 'name'), field(user, 'color')];
  const isNamed = typeof name === 'string' && name !== '';
  return {
    name: isNamed ? visible(headOf(name, maxNameLength)) : undefined,
    color: typeof color === 'string' ? color : undefined,
  };
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
