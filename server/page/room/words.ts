import type { RoomServer } from '../../wire/roomServers.js';
import type { RoomStanding, RoomStatus } from '../../wire/roomStatus.js';
import type { StreamStatus } from '../stream/messages.js';

/** How something stands, in words: what it is called, what it means, what can be done. */
export interface Words {
  readonly badge: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'accent' | 'idle';
  readonly isBusy?: boolean;
  readonly meaning: string;
  readonly advice?: string;
}

const standings: Record<RoomStanding, Words> = {
  locating: {
    badge: 'Locating',
    tone: 'accent',
    isBusy: true,
    meaning: 'The service is asking which servers have this room.',
  },
  merging: {
    badge: 'Merging',
    tone: 'accent',
    isBusy: true,
    meaning: 'What the servers hold of this room is being put together.',
  },
  live: {
    badge: 'Live',
    tone: 'good',
    meaning: 'Every update is shown as it is published on Redis.',
  },
  polling: {
    badge: 'Polling',
    tone: 'warn',
    meaning:
      'No updates come by Redis, so the servers are asked about every second, and more rarely for a large room. The log, and who is in the room, are known by Redis alone.',
  },
  unreadable: {
    badge: 'Unreadable',
    tone: 'bad',
    meaning:
      'Servers hold this room, but nothing that they answer can be read as a Yjs document. If something is shown below, it is from before.',
    advice: 'See which servers are named below, and why.',
  },
  waiting: {
    badge: 'Waiting',
    tone: 'idle',
    isBusy: true,
    meaning: 'No server has this room in memory.',
    advice:
      'It appears here as soon as somebody opens it. If somebody has, compare the key: rooms go by their raw names.',
  },
  unaskable: {
    badge: 'Cannot be asked for',
    tone: 'warn',
    meaning:
      'Pub-sub servers cannot be asked for a room with an empty name, or with “=” or “?” in it, so there is no document to show. Its connections are counted all the same.',
  },
  gone: {
    badge: 'Gone',
    tone: 'idle',
    meaning: 'No server holds this room any longer. What is shown is what was seen last.',
    advice: 'It comes back by itself when somebody opens the room again.',
  },
};

/** Why a room is polled, and what can be done about it. */
const pollingAdvice: Partial<Record<RoomStatus['channel'], string>> = {
  none: 'Set REDIS_URL to the Redis on which your pub-sub servers publish.',
  connecting: 'Redis has not answered yet.',
  lost: 'Redis does not answer. The service tries again by itself.',
  refused:
    'Redis refuses the user or the channel: allow the user of REDIS_URL to subscribe. The service tries again by itself.',
  silent:
    'The servers have changes that nobody published on the channel of this room: see that they publish Yjs updates as they are, on this Redis, on a channel that is called like the room (or see REDIS_CHANNEL_PREFIX).',
};

/** How the room stands. */
export function standingWords({ state, channel }: RoomStatus): Words {
  const words = standings[state];
  if (state === 'live' && channel === 'subscribed')
    return {
      ...words,
      meaning:
        'The service follows the channel of the room on Redis. No update has come by it yet.',
    };
  const advice = state === 'polling' ? pollingAdvice[channel] : undefined;
  return advice === undefined ? words : { ...words, advice };
}

/** What is in the way of the stream; undefined: nothing. */
export function streamWords(stream: StreamStatus): Words | undefined {
  switch (stream.kind) {
    case 'live':
      return undefined;
    case 'connecting':
      return {
        badge: 'Connecting',
        tone: 'accent',
        isBusy: true,
        meaning: 'Asking the service for this room.',
      };
    case 'stale':
      return {
        badge: 'Stale',
        tone: 'warn',
        meaning: `Nothing has come since ${clockTime(stream.sinceMs)}, although the service sends a sign of life every 15 seconds.`,
        advice: 'The page reconnects by itself if that goes on.',
      };
    case 'reconnecting':
      return {
        badge: 'Reconnecting',
        tone: 'bad',
        isBusy: true,
        meaning: `Cut off since ${clockTime(stream.sinceMs)}: ${stream.reason}.`,
        advice: 'What is shown is from before. The page tries again by itself.',
      };
    case 'waiting':
      return {
        badge: 'Waiting for a free connection',
        tone: 'warn',
        meaning:
          'A browser opens few connections to one host, and four rooms are shown in other tabs already.',
        advice:
          'Close one of them, or have a proxy speak HTTP/2 to browsers: then there is no such limit.',
      };
    case 'signedOut':
      return {
        badge: 'Signed out',
        tone: 'warn',
        meaning: 'The service asks for its token.',
        advice: 'Sign in to go on.',
      };
  }
}

/** What a server's part in the room means. */
export function serverWords({ answer, finding, failure }: RoomServer): Words {
  switch (finding) {
    case 'unreadable':
      return {
        badge: 'Unreadable',
        tone: 'bad',
        meaning: `What it answers for this room cannot be read: ${failure ?? 'no reason is known'}.`,
      };
    case 'waiting_for':
      return {
        badge: 'Waits for updates',
        tone: 'warn',
        meaning: 'It has updates that it cannot apply, because others never came.',
      };
    case 'dead_address':
      return {
        badge: 'Dead address',
        tone: 'bad',
        meaning:
          'The metadata store names it, and nothing answers there: it went without being taken out.',
      };
    case 'denied':
      return {
        badge: 'Denied',
        tone: 'warn',
        meaning:
          'The store or the live counts name it, and it says that it does not hold the room.',
      };
    case 'not_stored':
      return {
        badge: 'Not stored',
        tone: 'warn',
        meaning: 'It holds the room, and the metadata store does not say so.',
      };
    case 'no_connection':
      return {
        badge: 'Nobody connected',
        tone: 'idle',
        meaning: 'It holds the room in memory, and nobody is connected to it there.',
      };
    default:
      return answerWords(answer, failure);
  }
}

function answerWords(answer: RoomServer['answer'], failure: string | null): Words {
  if (answer === 'holds') return { badge: 'Holds it', tone: 'good', meaning: '' };
  if (answer === 'denies') return { badge: 'Does not hold it', tone: 'idle', meaning: '' };
  if (answer === 'unasked')
    return {
      badge: 'Not asked',
      tone: 'idle',
      meaning: 'Servers take no "=" and no "?" in a name.',
    };
  return { badge: 'No answer', tone: 'warn', meaning: failure ?? '' };
}

/** Hours to seconds of this browser's day. */
export const clockTime = (atMs: number) => new Date(atMs).toLocaleTimeString([], { hour12: false });

/** Bytes as people say them. */
export function byteWord(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `1 server`, `2 servers`. */
export const countWord = (count: number, one: string) =>
  `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`;
