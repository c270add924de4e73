import type { ComponentChildren } from 'preact';
import type { Divergence } from '../../wire/divergence.js';
import type { UnreadableServer, WaitingServer } from '../../wire/roomStatus.js';
import { visible } from '../model/roomNames.js';
import { lookOf } from '../servers/serverLook.js';
import { ServerName } from '../servers/serverName.js';
import { retryStreams } from '../stream/connection.js';
import type { StreamStatus } from '../stream/messages.js';
import { countWord } from '../ui/numbers.js';
import type { RoomSession } from './roomSession.js';
import { byteWord, roomWords, streamWords, type Words } from './words.js';

/** The problems of the room, and what to do about them. */
export function RoomNotices(props: {
  name: string;
  session: RoomSession;
  stream: StreamStatus;
  /** Servers count its connections, but none returns it. */
  isCountedOnly: boolean;
  /** The page is not connected at all, and says so above. A signal read here would keep the session's changes out. */
  isPageCut: boolean;
}) {
  const { name, session, stream, isCountedOnly, isPageCut } = props;
  const { status, heldBytes, problem } = session.snapshot;
  const standing = status && status.state !== 'live' ? roomWords(status, isCountedOnly) : undefined;
  const streamProblem = streamWords(stream);
  return (
    <>
      {streamProblem && !(isPageCut && stream.kind === 'reconnecting') && (
        <Notice words={streamProblem}>
          {stream.kind === 'reconnecting' && (
            <button type="button" class="button" onClick={retryStreams}>
              Try now
            </button>
          )}
        </Notice>
      )}
      {!streamProblem && standing && <Notice words={standing} />}
      {status && status.room !== name && <OtherRoom name={status.room} />}
      {status && status.unreadable.length > 0 && <Unreadable servers={status.unreadable} />}
      {status && status.waitingFor.length > 0 && <WaitingFor servers={status.waitingFor} />}
      {status && status.diverged.length > 0 && <Diverged servers={status.diverged} />}
      {(heldBytes > 0 || status?.tooLarge) && <TooLarge session={session} bytes={heldBytes} />}
      {status && status.garbage > 0 && <Garbage count={status.garbage} />}
      {problem !== undefined && (
        <div class="notice tone-bad" role="alert">
          <p class="notice-text">{visible(problem)}</p>
        </div>
      )}
    </>
  );
}

function Notice({ words, children }: { words: Words; children?: ComponentChildren }) {
  return (
    <div class={`notice tone-${words.tone}`}>
      <p class="notice-text">
        {words.meaning} {words.advice}
      </p>
      {children}
    </div>
  );
}

function OtherRoom({ name }: { name: string }) {
  return (
    <div class="notice tone-warn">
      <p class="notice-text">
        This address leads to the room with the raw name <code>{visible(name)}</code>.
      </p>
    </div>
  );
}

const NamedServer = ({ id }: { id: string }) => <ServerName id={id} name={lookOf(id).name} />;

function Unreadable({ servers }: { servers: readonly UnreadableServer[] }) {
  return (
    <div class="notice tone-bad" role="alert">
      <div class="notice-text">
        <h2>Some servers send no valid document</h2>
        <ul>
          {servers.map(({ server, reason }) => (
            <li key={server}>
              <NamedServer id={server} />: {visible(reason)}
            </li>
          ))}
        </ul>
        <p>
          Their answers are not shown. Check <code>GET /api/room?id=…</code> on these servers: it
          must return one Yjs update (v1).
        </p>
      </div>
    </div>
  );
}

function WaitingFor({ servers }: { servers: readonly WaitingServer[] }) {
  return (
    <div class="notice tone-warn" role="alert">
      <div class="notice-text">
        <h2>Some servers are missing updates</h2>
        <ul>
          {servers.map(({ server, structs, missingStructs, missingDeletions }) => (
            <li key={server}>
              <NamedServer id={server} /> waits for{' '}
              {missingWords(missingStructs, missingDeletions, clientsOf(structs))}.
            </li>
          ))}
        </ul>
        <p>
          A server cannot apply later updates before the missing ones, so its users do not see them.
          The missing updates were lost in transit, or a client never sent them.
        </p>
      </div>
    </div>
  );
}

function Diverged({ servers }: { servers: readonly Divergence[] }) {
  const isAnyMissing = servers.some((each) => each.missingStructs + each.missingDeletions > 0);
  const isAnyConflicting = servers.some(({ conflictingStructs }) => conflictingStructs > 0);
  return (
    <div class="notice tone-bad" role="alert">
      <div class="notice-text">
        <h2>The servers hold different documents</h2>
        <ul>
          {servers.map((each) => (
            <li key={each.server}>
              <NamedServer id={each.server} /> {divergedWords(each)}.
            </li>
          ))}
        </ul>
        {isAnyMissing && (
          <p>
            They do not receive each other’s updates. Check that all of them publish to the same
            Redis and subscribe to it. The document below is merged from all of them.
          </p>
        )}
        {isAnyConflicting && (
          <p>
            Two clients use the same client id, so each server keeps only one of two versions. The
            document below shows one of them. Let Yjs choose the client ids.
          </p>
        )}
      </div>
    </div>
  );
}

function divergedWords(each: Divergence): string {
  const { missingStructs, missingDeletions, conflicts, conflictingStructs } = each;
  const words = [];
  if (missingStructs + missingDeletions > 0)
    words.push(`misses ${missingWords(missingStructs, missingDeletions)} that others have`);
  if (conflictingStructs > 0)
    words.push(
      `holds ${countWord(conflictingStructs, 'element')} of ${clientsOf(conflicts)} with content other than shown below`,
    );
  return words.join(', and ');
}

const maxClients = 3;

function clientsOf(ranges: readonly { client: number }[]): string {
  const clients = [...new Set(ranges.map(({ client }) => client))];
  const more = clients.length > maxClients ? ` and ${clients.length - maxClients} more` : '';
  return `client ${clients.slice(0, maxClients).join(', ')}${more}`;
}

function missingWords(structs: number, deletions: number, clients?: string): string {
  const words = [];
  if (structs > 0) words.push(`${countWord(structs, 'element')}${clients ? ` of ${clients}` : ''}`);
  if (deletions > 0) words.push(countWord(deletions, 'deletion'));
  return words.join(' and ');
}

function TooLarge({ session, bytes }: { session: RoomSession; bytes: number }) {
  return (
    <div class="notice tone-warn">
      <p class="notice-text">
        This room is too large for the service to merge. The limits are MAX_ROOM_BYTES for one room
        and 64 MiB for all watched rooms.{' '}
        {bytes > 0 && 'The page can merge it instead, which may take a while.'}
      </p>
      {bytes > 0 && (
        <button type="button" class="button" onClick={() => session.mergeHeld()}>
          Merge {byteWord(bytes)} here
        </button>
      )}
    </div>
  );
}

function Garbage({ count }: { count: number }) {
  return (
    <div class="notice tone-warn">
      <p class="notice-text">
        {countWord(count, 'message')} on this room's channels {count === 1 ? 'was' : 'were'} not a
        valid update and {count === 1 ? 'was' : 'were'} ignored. Check what else publishes on these
        channels.
      </p>
    </div>
  );
}
