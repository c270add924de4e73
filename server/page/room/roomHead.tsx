import type { RoomStatus } from '../../wire/roomStatus.js';
import { now } from '../model/polling.js';
import { shownName, visible } from '../model/roomNames.js';
import type { Known } from '../model/whatIsKnown.js';
import { roomsHref } from '../router.js';
import type { StreamStatus } from '../stream/messages.js';
import { CopyButton } from '../ui/copyButton.js';
import { connectionsWord } from './roomNumbers.js';
import { roomWords, sourceWords, streamWords } from './words.js';

/** The name of the room, its raw key, and its state. */
export function RoomHead(props: {
  name: string;
  status: RoomStatus | undefined;
  stream: StreamStatus;
  connections: Known;
  /** Servers count its connections, but none returns it. */
  isCountedOnly?: boolean;
}) {
  const { name, status, stream, connections, isCountedOnly = false } = props;
  const shown = shownName(name);
  // A problem of the stream comes first, because everything else is then out of date.
  const words = streamWords(stream) ?? (status && roomWords(status, isCountedOnly));
  return (
    <header class="watched-head">
      <a class="small" href={roomsHref.value}>
        ‹ Rooms
      </a>
      <div class="row">
        <h1>
          <bdi>{shown}</bdi>
        </h1>
        {words && (
          <span class={`badge ${words.tone} ${words.isBusy ? 'busy' : ''}`}>{words.badge}</span>
        )}
      </div>
      <div class="row small quiet">
        <span>{connectionsWord(connections, now.value)}</span>
        {stream.kind === 'live' && status?.state === 'live' && (
          <span>{sourceWords[status.source]}</span>
        )}
        <RawKey name={name} />
        <span>Viewing a room does not join it.</span>
      </div>
      <p class="visually-hidden" role="status">
        {words && `${shown}: ${words.badge}. ${words.meaning}`}
      </p>
    </header>
  );
}

function RawKey({ name }: { name: string }) {
  return (
    <span class="watched-key">
      <span>key</span>
      <code class="cut" title={visible(name)}>
        {visible(name) || '(empty)'}
      </code>
      <CopyButton text={name} label="raw key" />
    </span>
  );
}
