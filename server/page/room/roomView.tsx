import './room.css';
import { useMemo, useState } from 'preact/hooks';
import type { RoomServers } from '../../wire/roomServers.js';
import { session as account } from '../api.js';
import { isCurrent, streamStatus } from '../model/fleet.js';
import { Tree } from '../tree/tree.js';
import { usePolled } from '../usePolled.js';
import { ClientNames } from './clientNames.js';
import { documentTree } from './documentTree.js';
import { HiddenRoom } from './hiddenRoom.js';
import { People } from './people.js';
import { RoomHead } from './roomHead.js';
import { RoomHistory } from './roomHistory.js';
import { RoomNotices } from './roomNotices.js';
import { isCountedOnly, roomConnections } from './roomNumbers.js';
import { ServersOfRoom } from './roomServers.js';
import type { RoomSession } from './roomSession.js';
import { UpdateLog } from './updateLog.js';
import { roomPath, useRoom } from './useRoom.js';
import { useRoomCounts } from './useRoomCounts.js';

/** Rare, because each request makes every server send the whole document (docs/protocol.md). */
const findingsMs = 30_000;

/** A room, live: its document, its people and its servers. Viewing a room never joins it. */
export function RoomView({ name }: { name: string }) {
  return account.value?.showsContent === false ? (
    <HiddenRoom name={name} />
  ) : (
    <ShownRoom name={name} />
  );
}

function ShownRoom({ name }: { name: string }) {
  const { session, stream } = useRoom(name);
  const { status, people, log } = session.snapshot;
  const [names] = useState(() => new ClientNames());
  names.learn(people);
  const counts = useRoomCounts(name);
  const connections = roomConnections(counts, isCurrent.value);
  const isUnreturned = isCountedOnly(status, connections);
  // A room that no server holds is answered 404.
  const isSomewhere =
    isUnreturned ||
    (status !== undefined &&
      !['locating', 'merging', 'waiting', 'gone', 'unaskable'].includes(status.state));
  const [findings, askAgain] = usePolled<RoomServers>(
    isSomewhere ? roomPath(name, 'servers') : undefined,
    findingsMs,
  );
  return (
    <div class="stack room">
      <RoomHead
        name={name}
        status={status}
        stream={stream}
        connections={connections}
        isCountedOnly={isUnreturned}
      />
      <RoomNotices
        name={name}
        session={session}
        stream={stream}
        isCountedOnly={isUnreturned}
        isPageCut={streamStatus.value.kind === 'reconnecting'}
      />
      <div class="watched-columns">
        <div class="stack">
          <Document session={session} isCountedOnly={isUnreturned} />
          <UpdateLog entries={log} status={status} nameOf={(client) => names.of(client)} />
        </div>
        <div class="stack">
          <People people={people} connections={connections} isTold={status !== undefined} />
          <ServersOfRoom
            status={status}
            findings={findings}
            connections={counts.value?.[0]?.servers ?? undefined}
            counted={connections}
            isCountedOnly={isUnreturned}
            onAsk={askAgain}
          />
          <RoomHistory name={name} counts={counts} stored={findings.value} />
        </div>
      </div>
    </div>
  );
}

function Document({ session, isCountedOnly }: { session: RoomSession; isCountedOnly: boolean }) {
  const { version, hasDocument, status, heldBytes } = session.snapshot;
  const nodes = useMemo(() => documentTree(session.doc, session.recent), [session, version]);
  // Memoized: a large tree is not compared again while only the log changes.
  const tree = useMemo(() => <Tree nodes={nodes} label="Document content" />, [nodes]);
  return (
    <section class="card" aria-labelledby="room-document">
      <div class="card-head">
        <h2 id="room-document">Document</h2>
        {nodes.length > 0 && (
          <span class="quiet small">
            <span class="watched-legend is-new">new</span>
            <span class="watched-legend is-touched">changed</span>
          </span>
        )}
      </div>
      {nodes.length > 0 ? tree : <p class="quiet">{noDocumentWords()}</p>}
    </section>
  );

  function noDocumentWords(): string {
    if (heldBytes > 0) return 'Not merged yet. See above.';
    if (hasDocument) return 'The document is empty.';
    if (isCountedOnly && status?.state !== 'unaskable')
      return 'Not known: no server returns this room.';
    if (status?.state === 'waiting' || status?.state === 'gone')
      return 'Nothing to show until a server holds the room.';
    if (status?.state === 'unaskable') return 'Its servers cannot return a room with this name.';
    if (status?.state === 'unreadable') return 'No server has sent a valid document. See above.';
    return 'Waiting for the document …';
  }
}
