import type { RoomServer, RoomServers } from '../../wire/roomServers.js';
import type { RoomStatus } from '../../wire/roomStatus.js';
import { visible } from '../model/roomNames.js';
import type { Known } from '../model/whatIsKnown.js';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { ServerName } from '../servers/serverName.js';
import { stateWords } from '../servers/serverState.js';
import { When } from '../ui/knownNumber.js';
import { countWord } from '../ui/numbers.js';
import { clockTime } from '../ui/time.js';
import type { Polled } from '../usePolled.js';
import { notTold, serverWords } from './words.js';

type Connections = readonly { id: string; connections: number }[];

/** The servers of the room, by the metadata store, the live counts and their own answers. */
export function ServersOfRoom(props: {
  status: RoomStatus | undefined;
  findings: Polled<RoomServers>;
  connections: Connections | undefined;
  /** What is known of the sum of them. */
  counted: Known;
  /** They count its connections, but none returns it. */
  isCountedOnly: boolean;
  onAsk: () => void;
}) {
  const { status, findings, connections = [], counted, isCountedOnly, onAsk } = props;
  const { value, failure, atMs } = findings;
  const notAsked = Math.max(value?.notAsked ?? 0, status?.notAsked ?? 0);
  const rows = rowsOf(value?.servers ?? [], connections, status);
  return (
    <section class="card" aria-labelledby="watched-servers">
      <div class="card-head">
        <h2 id="watched-servers">Servers</h2>
        {counted.is === 'past' && <When atMs={counted.atMs} />}
        <span class="spacer" />
        {atMs !== undefined && (
          <button type="button" class="button bare small" onClick={onAsk}>
            Ask again
          </button>
        )}
      </div>
      {rows.length === 0 && <p class="quiet">{status ? 'None known.' : notTold}</p>}
      <ul class="watched-servers">
        {rows.map((row) => (
          <ServerRow key={row.id} row={row} isCountedOnly={isCountedOnly} />
        ))}
      </ul>
      {notAsked > 0 && (
        <p class="small tone-warn">
          {countWord(notAsked, 'more server')} may hold the room but {notAsked === 1 ? 'is' : 'are'}{' '}
          not asked. The service asks up to 64 servers per room.
        </p>
      )}
      {atMs !== undefined && <p class="quiet small">Asked at {clockTime(atMs)}.</p>}
      {value?.storeStale && (
        <p class="quiet small">The metadata store does not answer, so its data is missing here.</p>
      )}
      {failure && (
        <p class="small tone-bad watched-failure">
          The servers could not be asked: {visible(failure.message)}
        </p>
      )}
    </section>
  );
}

interface Row {
  id: string;
  /** Null: unknown. */
  connections: number | null;
  asked: RoomServer | undefined;
  isHolder: boolean;
}

/** All servers with a relation to the room, most connections first. */
function rowsOf(
  asked: readonly RoomServer[],
  connections: Connections,
  status: RoomStatus | undefined,
): Row[] {
  const byId = new Map(asked.map((each) => [each.server, each]));
  const counts = new Map(connections.map(({ id, connections }) => [id, connections]));
  const reporting = new Set(
    presentServers.value.filter((server) => server.connections !== null).map(({ id }) => id),
  );
  // A server that reports, but not this room, has 0 connections to it. Null in the findings means unknown.
  const noCount = (id: string) =>
    reporting.has(id) && byId.get(id)?.connections !== null ? 0 : null;
  const holders = new Set(status?.servers);
  const ids = new Set([...byId.keys(), ...counts.keys(), ...holders]);
  return [...ids]
    .map((id) => ({
      id,
      connections: counts.get(id) ?? noCount(id),
      asked: byId.get(id),
      isHolder: holders.has(id),
    }))
    .sort((a, b) => (b.connections ?? 0) - (a.connections ?? 0) || (a.id < b.id ? -1 : 1));
}

const connectionsWord = (connections: number | null) =>
  connections === null ? 'Connections unknown' : countWord(connections, 'connection');

function ServerRow({ row, isCountedOnly }: { row: Row; isCountedOnly: boolean }) {
  const { id, connections } = row;
  const { badge, tone, meaning } = rowWords(row, isCountedOnly);
  const { name, fullName } = lookOf(id);
  return (
    <li>
      <span class="watched-server" title={fullName}>
        <ServerName id={id} name={name} />
      </span>
      <span class={`badge ${tone}`}>{badge}</span>
      <p class="small quiet">
        {visible([connectionsWord(connections), meaning].filter(Boolean).join('. '))}
      </p>
    </li>
  );
}

/** What is known of a server now. What it said before it stopped answering is not of now. */
function rowWords(
  { id, asked, isHolder }: Row,
  isCountedOnly: boolean,
): { badge: string; tone: string; meaning?: string } {
  const server = presentServers.value.find((present) => present.id === id);
  if (server?.state === 'unreachable') {
    const { label, tone } = stateWords(server);
    return { badge: label, tone, meaning: isHolder ? 'It held the room before' : '' };
  }
  if (asked) return serverWords(asked);
  if (isHolder) return { badge: 'Holds room', tone: 'good' };
  if (isCountedOnly)
    return {
      badge: 'Counted only',
      tone: '',
      meaning: 'It counts connections, but does not return the room',
    };
  return { badge: 'Not asked yet', tone: '' };
}
