import { Redis } from 'ioredis';
import { pino } from 'pino';
import { applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness';
import { applyUpdate, decodeUpdate, encodeStateAsUpdate } from 'yjs';
import { RedisChannels } from '../redis/redisChannels.js';
import { within } from './childProcess.js';
import type { SharedDocument } from './rooms.js';

interface AwarenessChanges {
  added: number[];
  updated: number[];
  removed: number[];
}

/** Origin of changes from other servers, which must not be published again. */
const remote = { name: 'redis' };
/** The update without content. Yjs never creates it, so it serves as a question: see `RedisFanOut`. */
const question = Uint8Array.of(0, 0);
const answerAfterMs = 20;
const closeWithinMs = 500;
const hangsAfterMs = 5_000;

/**
 * Sends the updates of one server's documents to all servers that hold the same rooms: raw updates on
 * the channel `<room>`, raw awareness updates on `<room>-presence` (docs/migrate-from-symphony.md).
 *
 * The deployed servers load a room from storage. These have none: they publish an update without
 * content, and every server that holds the room answers with its whole state. Other readers of the
 * channel see valid updates that change nothing. This needs no list of servers, and it repairs what
 * was missed while Redis was down or a server hung.
 */
export class RedisFanOut {
  readonly #channels: RedisChannels;
  readonly #publisher: Redis;
  readonly #rooms = new Set<Room>();

  /** Starts to connect. The caller must close it. */
  constructor(url: string) {
    this.#channels = new RedisChannels(url, pino({ level: 'silent' }));
    this.#publisher = createPublisher(url);
    this.#publisher.on('ready', () => {
      for (const room of this.#rooms) this.#ask(room);
    });
  }

  /** Call it when a room is loaded into memory. The document's `destroy` ends it. */
  created(doc: SharedDocument): void {
    const room = new Room(doc, (channel, update) => this.#publish(channel, update));
    // Subscribe to presence first, because the question below asks for answers there too.
    const unfollows = [
      this.#channels.follow(room.presenceChannel, {
        onMessage: (update) => applyAwarenessUpdate(doc.awareness, update, remote),
        onSubscribed: ignore,
        onLost: ignore,
      }),
      this.#channels.follow(room.updatesChannel, {
        onMessage: (update) => room.take(update),
        onSubscribed: () => {
          room.isSubscribed = true;
          this.#ask(room);
        },
        onLost: () => {
          room.isSubscribed = false;
        },
      }),
    ];
    this.#rooms.add(room);
    room.publishChanges();
    doc.once('destroy', () => {
      room.close();
      this.#rooms.delete(room);
      for (const unfollow of unfollows) unfollow();
    });
  }

  /** Call it after all rooms are unloaded: their last changes are still published. */
  async close(): Promise<void> {
    this.#channels.close();
    if (this.#publisher.status === 'ready')
      await within(closeWithinMs, 'Redis does not answer', this.#publisher.quit()).catch(ignore);
    if (this.#publisher.status !== 'end') this.#publisher.disconnect();
  }

  /** Asks as soon as both connections are ready. */
  #ask(room: Room): void {
    const isReady = room.isSubscribed && this.#publisher.status === 'ready';
    if (isReady) this.#publish(room.updatesChannel, question);
  }

  #publish(channel: string, { buffer, byteOffset, length }: Uint8Array): void {
    this.#publisher.publish(channel, Buffer.from(buffer, byteOffset, length)).catch(ignore);
  }
}

/** One room of this server, on its two channels. */
class Room {
  readonly updatesChannel: string;
  readonly presenceChannel: string;
  isSubscribed = false;
  readonly #doc: SharedDocument;
  readonly #publish: (channel: string, update: Uint8Array) => void;
  #answering: NodeJS.Timeout | undefined;
  #isStateWanted = false;

  constructor(doc: SharedDocument, publish: (channel: string, update: Uint8Array) => void) {
    this.#doc = doc;
    this.#publish = publish;
    this.updatesChannel = doc.name;
    this.presenceChannel = `${doc.name}-presence`;
  }

  /** Applies a message of the updates channel, or answers a question. Throws if it is no update. */
  take(update: Uint8Array): void {
    // Reject invalid updates before applying anything: `x-presence` may be a room, and a channel of `x`.
    decodeUpdate(update);
    if (!isQuestion(update)) {
      applyUpdate(this.#doc, update, remote);
      return;
    }
    this.#answering ??= setTimeout(() => this.#answer(), answerAfterMs);
    // An empty state would be another question. Later changes are published anyway.
    this.#isStateWanted ||= this.#doc.store.clients.size > 0;
  }

  /** Publishes the changes of this server's own clients from now on. */
  publishChanges(): void {
    const { awareness } = this.#doc;
    this.#doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== remote) this.#publish(this.updatesChannel, update);
    });
    awareness.on('update', (changes: AwarenessChanges, origin: unknown) => {
      const { added, updated, removed } = changes;
      // Every server detects timeouts itself.
      if (origin !== remote && origin !== 'timeout' && origin !== 'local')
        this.#publishPresence([...added, ...updated, ...removed]);
    });
  }

  close(): void {
    clearTimeout(this.#answering);
  }

  #answer(): void {
    if (this.#isStateWanted) this.#publish(this.updatesChannel, encodeStateAsUpdate(this.#doc));
    this.#isStateWanted = false;
    this.#answering = undefined;
    this.#publishPresence([...this.#doc.conns.values()].flatMap((clients) => [...clients]));
  }

  #publishPresence(clients: number[]): void {
    if (clients.length === 0) return;
    this.#publish(this.presenceChannel, encodeAwarenessUpdate(this.#doc.awareness, clients));
  }
}

function createPublisher(url: string): Redis {
  const redis = new Redis(url, {
    // Drop what cannot be published: servers ask each other again when Redis is back.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    socketTimeout: hangsAfterMs,
    retryStrategy: (times) => Math.min(2_000, 100 * times),
  });
  redis.on('error', ignore);
  return redis;
}

function isQuestion(update: Uint8Array): boolean {
  return question.every((byte, i) => update[i] === byte);
}

function ignore(): void {}
