import type { RoomCounts } from '../../wire/roomCounts.js';
import { isCurrent } from '../model/fleet.js';
import { visible } from '../model/roomNames.js';
import type { Known } from '../model/whatIsKnown.js';
import { lookOf } from '../servers/serverLook.js';
import { ServerName } from '../servers/serverName.js';
import { When } from '../ui/knownNumber.js';
import { countWord } from '../ui/numbers.js';
import { RoomHead } from './roomHead.js';
import { RoomHistory } from './roomHistory.js';
import { roomConnections } from './roomNumbers.js';
import { useRoomCounts } from './useRoomCounts.js';

/** A room of a service that hides content (`SHOW_CONTENT=false`): its connections, and why there is no more. */
export function HiddenRoom({ name }: { name: string }) {
  const counts = useRoomCounts(name);
  const connections = roomConnections(counts, isCurrent.value);
  return (
    <div class="stack room" data-content="hidden">
      <RoomHead
        name={name}
        status={undefined}
        stream={{ kind: 'live' }}
        connections={connections}
      />
      <div class="notice">
        <p class="notice-text">
          <strong>The operator has switched off the content of rooms.</strong> This service shows no
          documents, no updates and nobody’s name, and does not ask the servers for them.
          Connections are counted as always. The operator can change it with{' '}
          <code>SHOW_CONTENT</code>.
        </p>
      </div>
      <Servers servers={counts.value?.[0]?.servers ?? undefined} counted={connections} />
      <RoomHistory name={name} counts={counts} stored={undefined} />
      {counts.failure && (
        <p class="small tone-bad">
          The connections could not be read: {visible(counts.failure.message)}
        </p>
      )}
    </div>
  );
}

function Servers({
  servers,
  counted,
}: {
  servers: RoomCounts['servers'] | undefined;
  counted: Known;
}) {
  return (
    <section class="card" aria-labelledby="watched-servers">
      <div class="card-head">
        <h2 id="watched-servers">Servers</h2>
        {counted.is === 'past' && <When atMs={counted.atMs} />}
      </div>
      {!servers?.length && <p class="quiet">No connection is known.</p>}
      <ul class="watched-servers">
        {servers?.map(({ id, connections }) => {
          const { name, fullName } = lookOf(id);
          return (
            <li key={id}>
              <span class="watched-server" title={fullName}>
                <ServerName id={id} name={name} />
              </span>
              <p class="small quiet">{countWord(connections, 'connection')}</p>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
