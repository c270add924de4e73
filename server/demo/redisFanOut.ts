import type { WSSharedDoc } from '@y/websocket-server/utils';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { applyUpdate, decodeUpdate, encodeStateAsUpdate } from 'yjs';
import { RedisChannels } from '../redis/redisChannels.js';
import { within } from './childProcess.js';

/** Takes the updates of one server's documents to all others that hold the same rooms. */
export type FanOut = {
  /** To be called when a room comes into memory; its document's `destroy` ends it. */
  created(doc: WSSharedDoc): void;
  /** After the rooms have left memory: what was published last still goes out. */
  close(): Promise<void>;
};

type Room = { updates: string; presence: string; isSubscribed: boolean };
type Changes = { added: number[]; updated: number[]; removed: number[] };

// What came from another server has this origin, so that it is not published again.
const remote = { name: 'redis' };
// The update without content. Yjs never makes it, so it serves as a question: see `ask`.
const question = Uint8Array.of(0, 0);
const answerAfterMs = 20;
const closeWithinMs = 500;
const hangsAfterMs = 5_000;

const ignore = () => undefined;
const isQuestion = (update: Uint8Array) => question.every((byte, i) => update[i] === byte);

const createPublisher = (url: string): Redis => {
  const redis = new Redis(url, {
    // What cannot be published is dropped: servers ask each other when Redis is back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    socketTimeout: hangsAfterMs,
    retryStrategy: (times) => Math.min(2_000, 100 * times),
  });
  redis.on('error', ignore);
  return redis;
};

/**
 * Starts the fan-out of contract.md, section 3: raw updates on the channel `<room>`, raw awareness
 * updates on `<room>-presence`. The deployed servers load a room from their storage when they take it
 * up; these have none. They publish an update without content, upon which everyone who holds the room
 * publishes all of it: any other reader of the channel sees valid updates that change nothing. It
 * needs no list of servers, and heals what was missed while Redis was away or a server hung.
 */
export const startRedisFanOut = (url: string): FanOut => {
  const channels = new RedisChannels(url, pino({ level: 'silent' }));
  const publisher = createPublisher(url);
  const rooms = new Set<Room>();

  const publish = (channel: string, { buffer, byteOffset, length }: Uint8Array) =>
    void publisher.publish(channel, Buffer.from(buffer, byteOffset, length)).catch(ignore);
  // Once both connections are there, whichever comes first.
  const ask = (room: Room) => {
    if (room.isSubscribed && publisher.status === 'ready') publish(room.updates, question);
  };
  publisher.on('ready', () => rooms.forEach(ask));

  const created = (doc: WSSharedDoc) => {
    const room: Room = {
      updates: doc.name,
      presence: `${doc.name}-presence`,
      isSubscribed: false,
    };
    const { awareness } = doc;
    let answering: NodeJS.Timeout | undefined;
    let isStateAskedFor = false;

    const publishPresence = (clients: number[]) => {
      if (clients.length > 0) publish(room.presence, encodeAwarenessUpdate(awareness, clients));
    };
    const answer = () => {
      if (isStateAskedFor) publish(room.updates, encodeStateAsUpdate(doc));
      isStateAskedFor = false;
      answering = undefined;
      publishPresence([...doc.conns.values()].flatMap((clients) => [...clients]));
    };
    const followers = [
      // First: whoever asks by the other channel gets answers on this one.
      channels.follow(room.presence, {
        onMessage: (update) => applyAwarenessUpdate(awareness, update, remote),
        onSubscribed: ignore,
        onLost: ignore,
      }),
      channels.follow(room.updates, {
        onMessage: (update) => {
          // Read to its end before any of it is applied: `x-presence` may be a room and a channel of `x`.
          decodeUpdate(update);
          if (!isQuestion(update)) return applyUpdate(doc, update, remote);
          answering ??= setTimeout(answer, answerAfterMs);
          // Who has nothing says nothing: it would be a question. What comes later goes out by itself.
          isStateAskedFor ||= doc.store.clients.size > 0;
        },
        onSubscribed: () => {
          room.isSubscribed = true;
          ask(room);
        },
        onLost: () => {
          room.isSubscribed = false;
        },
      }),
    ];
    rooms.add(room);
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== remote) publish(room.updates, update);
    });
    awareness.on('update', ({ added, updated, removed }: Changes, origin: unknown) => {
      // Everyone finds time-outs for himself.
      if (origin !== remote && origin !== 'timeout' && origin !== 'local')
        publishPresence([...added, ...updated, ...removed]);
    });
    doc.once('destroy', () => {
      clearTimeout(answering);
      rooms.delete(room);
      for (const leave of followers) leave();
    });
  };

  const close = async () => {
    channels.close();
    if (publisher.status === 'ready')
      await within(closeWithinMs, 'redis hangs', publisher.quit()).catch(ignore);
    if (publisher.status !== 'end') publisher.disconnect();
  };
  return { created, close };
};
