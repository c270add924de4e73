import type { ComponentChildren } from 'preact';
import { visible } from '../model/roomNames.js';
import { retryStreams } from '../stream/connection.js';
import type { StreamStatus } from '../stream/messages.js';
import type { DivergedServer } from './roomMessages.js';
import type { RoomSession } from './roomSession.js';
import { byteWord, countWord, standingWords, streamWords, type Words } from './words.js';

/** What is not as it should be, what that means, and what can be done. */
export function RoomNotices(props: { name: string; session: RoomSession; stream: StreamStatus }) {
  const { name, session, stream } = props;
  const { status, heldBytes, problem } = session.snapshot;
  const standing = status && status.state !== 'live' ? standingWords(status) : undefined;
  const inTheWay = streamWords(stream);
  return (
    <>
      {inTheWay && (
        <Notice words={inTheWay}>
          {stream.kind === 'reconnecting' && (
            <button type="button" class="button" onClick={retryStreams}>
              Try now
            </button>
          )}
        </Notice>
      )}
      {!inTheWay && standing && <Notice words={standing} />}
      {status && status.room !== name && <OtherRoom name={status.room} />}
      {status && status.diverged.length > 0 && <Diverged servers={status.diverged} />}
      {(heldBytes > 0 || status?.tooLarge) && <TooLarge session={session} bytes={heldBytes} />}
      {status && status.garbage > 0 && <Garbage count={status.garbage} />}
      {problem !== undefined && (
        <div class="notice tone-bad" role="alert">
          <p class="notice-text">{problem}</p>
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
        The service took this address for the room whose raw name is <code>{visible(name)}</code>:
        there is one.
      </p>
    </div>
  );
}

function Diverged({ servers }: { servers: readonly DivergedServer[] }) {
  return (
    <div class="notice tone-bad" role="alert">
      <div class="notice-text">
        <h2>The servers hold different documents</h2>
        <ul>
          {servers.map(({ server, missingStructs, missingDeletions }) => (
            <li key={server}>
              <code>{server}</code> misses {missingWords(missingStructs, missingDeletions)} that
              others have.
            </li>
          ))}
        </ul>
        <p>
          They do not hear of each other: see that all of them publish to the same Redis, and
          subscribe to it. What is shown below is all of it together.
        </p>
      </div>
    </div>
  );
}

function missingWords(structs: number, deletions: number): string {
  const words = [];
  if (structs > 0) words.push(countWord(structs, 'element'));
  if (deletions > 0) words.push(countWord(deletions, 'deletion'));
  return words.join(' and ');
}

function TooLarge({ session, bytes }: { session: RoomSession; bytes: number }) {
  return (
    <div class="notice tone-warn">
      <p class="notice-text">
        This room is larger than the service merges (MAX_ROOM_BYTES, and 64 MiB of all that are
        watched).{' '}
        {bytes > 0 && 'The page can put it together itself, which may keep it busy for a while.'}
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
        {countWord(count, 'message')} on this room's channels could not be read as an update. They
        change nothing here; see who else publishes on the channel that is called like the room.
      </p>
    </div>
  );
}
