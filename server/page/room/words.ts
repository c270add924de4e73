import type { RoomServer } from '../../wire/roomServers.js';
import type { RoomStatus, ShownStanding } from '../../wire/roomStatus.js';
import type { StreamStatus } from '../stream/messages.js';
import { clockTime } from '../ui/time.js';

/** A state in words: its badge, its meaning, and what the reader can do. */
export interface Words {
  readonly badge: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'accent' | 'idle';
  readonly isBusy?: boolean;
  readonly meaning: string;
  readonly advice?: string;
}

/** In place of what the service has not told. */
export const notTold = 'Not known yet.';

const standings: Record<ShownStanding, Words> = {
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
    meaning: 'The service is merging what the servers hold.',
  },
  live: {
    badge: 'Live',
    tone: 'good',
    meaning: 'Updates appear as they arrive.',
  },
  polling: {
    badge: 'Polling',
    tone: 'warn',
    meaning:
      'No updates arrive, so the service polls the servers about once a second, or less often for a large room. The update log and the list of people are incomplete.',
  },
  unreadable: {
    badge: 'Unreadable',
    tone: 'bad',
    meaning:
      'Servers hold this room, but none of them sends a valid Yjs document. Anything shown below is from earlier.',
    advice: 'The servers and their errors are listed below.',
  },
  waiting: {
    badge: 'Waiting',
    tone: 'idle',
    isBusy: true,
    meaning: 'No server has this room in memory.',
    advice:
      'It appears here as soon as someone opens it. If someone already has, compare the key: it must be the raw room name.',
  },
  unaskable: {
    badge: 'Unsupported name',
    tone: 'warn',
    meaning:
      'The servers of this room cannot return a room with this name, so there is no document to show. Its connections are still counted. Servers with the agent can return every room.',
  },
  gone: {
    badge: 'Gone',
    tone: 'idle',
    meaning: 'No server holds this room anymore. The page shows its last known content.',
    advice: 'It goes live again as soon as someone opens the room.',
  },
};

/** Why a room is polled although Redis should bring its updates, and what to do about it. */
const redisAdvice: Partial<Record<RoomStatus['channel'], string>> = {
  connecting: 'Redis has not answered yet.',
  lost: 'Redis does not answer. The service keeps retrying.',
  refused:
    'Redis denied the login or the subscription. Allow the user in REDIS_URL to subscribe to the channel of this room. The service keeps retrying.',
  silent:
    'The servers have changes that were not published on the channel of this room. Check that they publish raw Yjs updates to this Redis, on a channel named like the room. If the channels have a prefix, set REDIS_CHANNEL_PREFIX.',
};

/** The same if the servers should post its updates. */
const postsAdvice: typeof redisAdvice = {
  none: 'A server of this room cannot post its updates. Use an agent that can, or set REDIS_URL to the Redis that your servers publish to.',
  connecting: 'The servers of this room have not confirmed yet that they post its updates.',
  lost: 'A server of this room does not answer. The service keeps retrying.',
  silent:
    'The servers have changes that they did not post. Check that they reach the address of this service.',
};

/** Where the changes of a room come from, in short. */
export const sourceWords: Record<RoomStatus['source'], string> = {
  redis: 'live, by Redis',
  posts: 'live, by posts of the servers',
  poll: 'by polling the servers',
};

/** Where the updates of a live room come from. */
const liveMeanings = {
  redis: {
    subscribed:
      'The service is subscribed to the channel of the room on Redis. No update has arrived yet.',
    followed: 'Updates appear as the servers publish them on Redis.',
  },
  posts: {
    subscribed: 'Live, by posts of the servers. No update has arrived yet.',
    followed: 'Live, by posts of the servers: updates appear as the servers post them.',
  },
};

/** The state of a room, in words. */
export function standingWords({ state, channel, redis }: RoomStatus): Words {
  const words = standings[state];
  if (state === 'live' && (channel === 'subscribed' || channel === 'followed'))
    return { ...words, meaning: liveMeanings[redis ? 'redis' : 'posts'][channel] };
  const advice = state === 'polling' ? (redis ? redisAdvice : postsAdvice)[channel] : undefined;
  return advice === undefined ? words : { ...words, advice };
}

/** Servers count connections in a room that none of them returns. */
const countedOnly: Words = {
  badge: 'Not returned',
  tone: 'warn',
  meaning:
    'Servers count connections in this room, but none of them returns its document: they do not offer GET /api/room, or not for a room with this name. Its connections are still counted.',
  advice: 'Servers with the agent return every room.',
};

/** The state of a room, in words. `isCountedOnly`: servers count its connections, but none returns it. */
export const roomWords = (status: RoomStatus, isCountedOnly: boolean): Words =>
  isCountedOnly && status.state !== 'unaskable' ? countedOnly : standingWords(status);

/** The problem of the stream, in words; undefined: none. */
export function streamWords(stream: StreamStatus): Words | undefined {
  switch (stream.kind) {
    case 'live':
      return undefined;
    case 'connecting':
      return {
        badge: 'Connecting',
        tone: 'accent',
        isBusy: true,
        meaning: 'Connecting to the service.',
      };
    case 'stale':
      return {
        badge: 'Stale',
        tone: 'warn',
        meaning: `No data since ${clockTime(stream.sinceMs)}, although the service sends a heartbeat every 15 seconds.`,
        advice: 'If this continues, the page reconnects.',
      };
    case 'reconnecting':
      return {
        badge: 'Reconnecting',
        tone: 'bad',
        isBusy: true,
        meaning: `Disconnected since ${clockTime(stream.sinceMs)}: ${stream.reason}.`,
        advice: 'The page shows the last known content and keeps retrying.',
      };
    case 'waiting':
      return {
        badge: 'Waiting for a free connection',
        tone: 'warn',
        meaning:
          'Browsers limit the connections to one host, and four rooms are already open in other tabs.',
        advice: 'Close one of them, or use a proxy with HTTP/2, which has no such limit.',
      };
    case 'signedOut':
      return {
        badge: 'Signed out',
        tone: 'warn',
        meaning: 'The service requires a token.',
        advice: 'Sign in to continue.',
      };
  }
}

/** What is known of a server and this room, in words. */
export function serverWords({ answer, finding, failure, connections }: RoomServer): Words {
  // The live counts have numbers of it.
  if (finding === 'dead_address' && connections !== null)
    return { badge: 'No answer', tone: 'warn', meaning: 'It did not answer when it was asked.' };
  switch (finding) {
    case 'unreadable':
      return {
        badge: 'Unreadable',
        tone: 'bad',
        meaning: `Its answer for this room is not valid: ${failure ?? 'unknown reason'}.`,
      };
    case 'waiting_for':
      return {
        badge: 'Missing updates',
        tone: 'warn',
        meaning: 'It has updates that it cannot apply, because earlier ones are missing.',
      };
    case 'dead_address':
      return {
        badge: 'Dead address',
        tone: 'bad',
        meaning:
          'The metadata store lists this address, but nothing answers there. The server stopped without removing its entry.',
      };
    case 'denied':
      return {
        badge: 'Denied',
        tone: 'warn',
        meaning:
          'The metadata store or the live counts list it, but it answers that it does not hold the room. So does a server that does not offer GET /api/room.',
      };
    case 'not_stored':
      return {
        badge: 'Not stored',
        tone: 'warn',
        meaning: 'It holds the room, but the metadata store does not list it.',
      };
    case 'no_connection':
      return {
        badge: 'Nobody connected',
        tone: 'idle',
        meaning: 'It holds the room in memory, but nobody is connected.',
      };
    default:
      return answerWords(answer, failure);
  }
}

function answerWords(answer: RoomServer['answer'], failure: string | null): Words {
  if (answer === 'holds') return { badge: 'Holds room', tone: 'good', meaning: '' };
  if (answer === 'denies') return { badge: 'Does not hold room', tone: 'idle', meaning: '' };
  if (answer === 'unasked')
    return {
      badge: 'Not asked',
      tone: 'idle',
      meaning: 'Without the agent, a server cannot return a room with this name.',
    };
  return { badge: 'No answer', tone: 'warn', meaning: failure ?? '' };
}

/** `12 B`, `1.5 kB`, `2.0 MB`. */
export function byteWord(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
