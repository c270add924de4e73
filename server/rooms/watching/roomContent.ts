import { createHash } from 'node:crypto';
import type { ServerId } from '../../../machines/ports.js';
import { DocumentError } from '../../documents/documentErrors.js';
import type { Applied } from '../../documents/documentProtocol.js';
import type { RoomDocument } from '../../documents/roomDocument.js';
import type { Kind } from '../../documents/sharedTypes.js';
import type { Divergence, MissingRanges } from '../../wire/divergence.js';
import type { UnreadableServer, WaitingServer } from '../../wire/roomStatus.js';
import { ChannelWatch, type ChannelWatchEvents } from './channelWatch.js';
import { DivergenceWatch } from './divergenceWatch.js';
import { HeldUpdates } from './heldUpdates.js';
import type { UpdateBytes } from './updateFrames.js';

/** Whom the content of a room tells of what happens to it. */
export interface RoomContentEvents extends ChannelWatchEvents {
  /** Whether and how the document is known, or which servers differ, changed. */
  onStatus: () => void;
  /** The document is another; its JSON is to be made anew. */
  onChanged: () => void;
  /** The document has more than the updates that were passed on. */
  onMerged: () => void;
  /** An update was applied, or, in a room too large for a document, passed through. */
  onUpdate: (summary: Applied, update: Uint8Array) => void;
  /** A message on the channel was no update. */
  onGarbage: (bytes: number) => void;
  /** Something is missing: the states of the servers have to be merged again. */
  onGap: () => void;
}

/** What a round came to: servers whose state could be read, and servers that answered something else. */
export interface RoundOutcome {
  read: number;
  unreadable: number;
}

/** A whole state of the document; `server`: in a room too large for a document, whose it is. */
export interface WholeState {
  server?: ServerId;
  update: UpdateBytes;
}

/** A document as JSON text (UTF-8); `isTruncated`: something of it was left out. */
export interface DocumentJson {
  json: Uint8Array;
  isTruncated: boolean;
}

/** What became of a server's state; `lost`: nothing is known of it, and it is fetched again. */
type Reading = 'read' | 'unreadable' | 'lost';

const isRead: Promise<Reading> = Promise.resolve('read');
const isUnreadable: Promise<Reading> = Promise.resolve('unreadable');

/** The document of a watched room, put together from its servers' states and its channel's updates. */
export class RoomContent {
  readonly #document: RoomDocument;
  readonly #events: RoomContentEvents;
  readonly #held = new HeldUpdates();
  readonly #divergence = new DivergenceWatch(() => performance.now());
  readonly #channel: ChannelWatch;
  /** The last update of the channel. */
  #applying: Promise<void> = Promise.resolve();
  readonly #waitingFor = new DivergenceWatch<WaitingServer>(() => performance.now());
  /** What servers wait for, by the states that were merged. */
  readonly #waiting = new Map<ServerId, MissingRanges>();
  /** Servers that sent their state in this round, each with its merging. */
  #round = new Map<ServerId, Promise<Reading>>();
  /** Of the states that were merged: most of those that are polled bring nothing new. */
  readonly #hashes = new Map<ServerId, string>();
  /** What could not be read, by server: it is not tried again before the server answers something else. */
  readonly #refused = new Map<ServerId, { hash: string; reason: string }>();
  #unreadable: readonly UnreadableServer[] = [];
  /** Grows when the document is given up: rounds of before say nothing of the new one. */
  #generation = 0;
  /** Whether a state brought what was not passed on as an update. */
  #hasNews = false;
  #holders: ServerId[] = [];
  /** Whether all states of a round have been merged. */
  #isKnown = false;
  /** Whether an update waits for another one that may never come. */
  #hasGap = false;
  /** The states of the servers in a room too large for a document; none: it has one. */
  #unmerged: Map<ServerId, Uint8Array> | undefined;

  constructor(document: RoomDocument, events: RoomContentEvents) {
    this.#document = document;
    this.#events = events;
    this.#channel = new ChannelWatch(() => performance.now(), events);
  }

  /** Servers whose state was read in the last round. */
  get holders(): readonly ServerId[] {
    return this.#holders;
  }

  get isTooLarge(): boolean {
    return this.#unmerged !== undefined;
  }

  /** Servers whose answer in the last round could not be read. */
  get unreadable(): readonly UnreadableServer[] {
    return this.#unreadable;
  }

  /** Which server misses what; empty: they agree, or it is not certain. */
  get diverged(): readonly Divergence[] {
    return this.#divergence.flagged;
  }

  /** Which server waits for what before it can apply updates that it has; empty: none does, or it is not certain. */
  get waitingFor(): readonly WaitingServer[] {
    return this.#waitingFor.flagged;
  }

  /** Takes a server's whole state; it is given away. */
  merge(server: ServerId, state: Uint8Array): void {
    const hash = createHash('sha1').update(state).digest('base64');
    this.#round.set(server, this.#reading(server, state, hash));
  }

  /** The channel is subscribed: what it is good for is to be seen. */
  beginChannel(): void {
    this.#channel.begin();
  }

  /** All states of this round have been given to `merge`. `isJudged`: see `RoomDocumentCommand`. */
  async endRound(isJudged: boolean): Promise<RoundOutcome> {
    const round = [...this.#round];
    const generation = this.#generation;
    this.#round = new Map();
    const readings = await Promise.all(round.map(([, reading]) => reading));
    if (generation !== this.#generation) return { read: 0, unreadable: 0 };
    const serversThat = (reading: Reading) =>
      round.flatMap(([server], i) => (readings[i] === reading ? [server] : []));
    const servers = serversThat('read');
    this.#holders = servers;
    this.#noteUnreadable(serversThat('unreadable'));
    // One alone may hold other elements than those that are shown.
    const divergence = servers.length > 0 ? this.#document.divergence(servers) : undefined;
    const isFirst = !this.#isKnown && servers.length > 0;
    if (isFirst) this.#isKnown = true;
    // Before the updates that waited: they follow the state.
    if (isFirst) this.#events.onMerged();
    if (this.#isKnown) this.#releaseHeld();
    this.#waitingFor.noteRound(this.#waitingOf(servers));
    this.#divergence.noteRound((await divergence?.catch(() => undefined)) ?? []);
    // What came by the channel before the round ended.
    await this.#applying;
    this.#channel.judge(servers, isJudged);
    this.#events.onStatus();
    if (isFirst) this.#events.onChanged();
    if (this.#hasNews && (!isFirst || this.isTooLarge)) this.#events.onMerged();
    this.#hasNews = false;
    return { read: servers.length, unreadable: this.#unreadable.length };
  }

  /** Takes an update of the channel. */
  apply(update: Uint8Array): Promise<void> {
    this.#applying = this.#apply(update);
    return this.#applying;
  }

  async #apply(update: Uint8Array): Promise<void> {
    if (!this.#isKnown) {
      this.#held.hold(update);
      return;
    }
    try {
      const applied = await this.#document.apply(update);
      this.#channel.noteUpdate(update, applied.isChanged || this.isTooLarge);
      this.#events.onUpdate(applied, update);
      if (applied.isChanged) this.#events.onChanged();
      this.#hasGap ||= applied.pendingBytes > 0 || applied.droppedBytes > 0;
      // The document has outgrown its limit: the states are needed instead.
      const isOutgrown = !applied.isApplied && !this.isTooLarge;
      if (isOutgrown) {
        this.#hashes.clear();
        this.#channel.excuse();
      }
      if (applied.pendingBytes > 0 || applied.droppedBytes > 0 || isOutgrown) this.#events.onGap();
    } catch (error) {
      this.#fail(error, update.length);
    }
  }

  /** The document is empty again: nothing is known before the next round has ended. */
  reset(): void {
    this.#generation += 1;
    this.#isKnown = false;
    this.#unmerged = undefined;
    this.#hashes.clear();
    this.#round = new Map();
    this.#channel.reset();
  }

  /** The document as JSON; undefined: there is none. */
  async json(types: Readonly<Record<string, Kind>>): Promise<DocumentJson | undefined> {
    if (!this.#isKnown || this.isTooLarge) return undefined;
    // What made it fail is told by whoever merges or applies.
    return this.#document.toJson({ types }).catch(() => undefined);
  }

  /** The whole document; empty: nothing is merged yet; undefined: there is none now. */
  async updates(): Promise<WholeState[] | undefined> {
    if (!this.#isKnown) return [];
    if (this.#unmerged)
      return Array.from(this.#unmerged, ([server, update]) => ({
        server,
        update: { raw: update },
      }));
    try {
      return [{ update: { base64: await this.#document.encodeBase64() } }];
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#document.close();
  }

  #reading(server: ServerId, state: Uint8Array, hash: string): Promise<Reading> {
    if (this.#hashes.get(server) === hash) return isRead;
    if (this.#refused.get(server)?.hash === hash) return isUnreadable;
    return this.#merge(server, state, hash);
  }

  async #merge(server: ServerId, state: Uint8Array, hash: string): Promise<Reading> {
    try {
      const merged = await this.#document.merge(state, server);
      this.#hashes.set(server, hash);
      this.#refused.delete(server);
      if (merged.waiting) this.#waiting.set(server, merged.waiting);
      else this.#waiting.delete(server);
      if (merged.type === 'tooLarge') {
        this.#unmerged = (this.#unmerged ?? new Map()).set(server, merged.state);
        this.#hasNews = true;
        this.#channel.noteUnknownNews(server);
        this.#events.onStatus();
      } else if (merged.isChanged) {
        this.#hasNews = true;
        this.#channel.noteNews(server, merged.added);
        this.#events.onChanged();
      }
      return 'read';
    } catch (error) {
      return this.#failMerge(error, server, hash);
    }
  }

  #failMerge(error: unknown, server: ServerId, hash: string): Reading {
    const { code, message } = error instanceof DocumentError ? error : { code: '', message: '' };
    if (code === 'backlog') this.#events.onGap();
    if (code !== 'bad_update' && code !== 'too_heavy') return 'lost';
    // A room that is refused for a while is tried again, whatever the server answers.
    this.#refused.set(server, { hash: code === 'too_heavy' ? '' : hash, reason: message });
    return 'unreadable';
  }

  #waitingOf(servers: readonly ServerId[]): WaitingServer[] {
    return servers.flatMap((server) => {
      const lacking = this.#waiting.get(server);
      return lacking ? [{ server, ...lacking }] : [];
    });
  }

  #noteUnreadable(servers: readonly ServerId[]): void {
    this.#unreadable = servers.map((server) => {
      const { reason = '' } = this.#refused.get(server) ?? {};
      return { server, reason };
    });
    for (const server of this.#refused.keys())
      if (!servers.includes(server)) this.#refused.delete(server);
  }

  #releaseHeld(): void {
    const { updates, isOverfull } = this.#held.release();
    for (const update of updates) void this.apply(update);
    if (isOverfull) {
      this.#channel.excuse();
      this.#events.onGap();
    }
    // What still waits, although all servers have said what they hold, would wait for ever.
    if (this.#hasGap) void this.#document.dropPending();
    this.#hasGap = false;
  }

  #fail(error: unknown, bytes: number): void {
    const code = error instanceof DocumentError ? error.code : undefined;
    if (code === 'bad_update') this.#events.onGarbage(bytes);
    else if (code === 'backlog') {
      this.#channel.excuse();
      this.#events.onGap();
    }
    // `lost` comes by `onLost` as well, `closed` is the end: there is nobody to tell.
  }
}
