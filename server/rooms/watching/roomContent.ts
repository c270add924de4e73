import type { ServerId } from '../../../machines/ports.js';
import type { DocumentClient } from '../../documents/documentClient.js';
import { DocumentError } from '../../documents/documentErrors.js';
import type { DocumentJson } from '../../documents/documentJson.js';
import type { Applied } from '../../documents/documentProtocol.js';
import type { Kind } from '../../documents/sharedTypes.js';
import type { Divergence } from '../../wire/divergence.js';
import type { UnreadableServer, WaitingServer } from '../../wire/roomStatus.js';
import { ChannelWatch, type ChannelWatchEvents } from './channelWatch.js';
import { DivergenceNews } from './divergenceNews.js';
import { DivergenceWatch } from './divergenceWatch.js';
import { HeldUpdates } from './heldUpdates.js';
import { ServerStates } from './serverStates.js';
import type { UpdateBytes } from './updateFrames.js';

/** What happens to the content of a room. */
export interface RoomContentEvents extends ChannelWatchEvents {
  /** The status of the document or the findings about its servers changed. */
  onStatus: () => void;
  /** The document changed, and its JSON with it. */
  onChanged: () => void;
  /** The document contains more than the updates that were passed on. */
  onMerged: () => void;
  /** An update was applied or, in a room too large for a document, passed through. */
  onUpdate: (summary: Applied, update: Uint8Array) => void;
  /** A message on the channel was no update. */
  onGarbage: (bytes: number) => void;
  /** The servers began to differ; none: they agree again. */
  onDiverged: (differing: readonly string[]) => void;
  /** Updates are missing. The states of the servers have to be merged again. */
  onGap: () => void;
}

/** How many servers of a round sent a state, and how many sent something unreadable. */
export interface RoundOutcome {
  read: number;
  unreadable: number;
}

/** A whole state of the document. `server`: whose state it is, in a room too large for a document. */
export interface WholeState {
  server?: ServerId;
  update: UpdateBytes;
}

/** The document of a watched room, merged from the states of its servers and the updates of its channel. */
export class RoomContent {
  readonly #document: DocumentClient;
  readonly #events: RoomContentEvents;
  readonly #held = new HeldUpdates();
  readonly #states: ServerStates;
  readonly #channel: ChannelWatch;
  readonly #divergence = new DivergenceWatch(() => performance.now());
  readonly #divergenceNews: DivergenceNews;
  readonly #waitingFor = new DivergenceWatch<WaitingServer>(() => performance.now());
  /** The last update of the channel. */
  #applying: Promise<void> = Promise.resolve();
  #holders: readonly ServerId[] = [];
  #unreadable: readonly UnreadableServer[] = [];
  /** Whether all states of a round have been merged. */
  #isKnown = false;
  /** Whether a state contained changes that were not passed on as updates. */
  #hasAdded = false;
  /** Whether an update waits for another one that may never come. */
  #hasGap = false;

  constructor(document: DocumentClient, events: RoomContentEvents) {
    this.#document = document;
    this.#events = events;
    this.#divergenceNews = new DivergenceNews(events.onDiverged);
    this.#channel = new ChannelWatch(() => performance.now(), events);
    this.#states = new ServerStates(document, {
      onAdded: (server, added) => {
        this.#hasAdded = true;
        this.#channel.noteAdded(server, added);
        events.onChanged();
      },
      onTooLarge: (server) => {
        this.#hasAdded = true;
        this.#channel.noteUnknown(server);
        events.onStatus();
      },
      onGap: () => events.onGap(),
    });
  }

  /** Servers whose state was read in the last round. */
  get holders(): readonly ServerId[] {
    return this.#holders;
  }

  get isTooLarge(): boolean {
    return this.#states.unmerged !== undefined;
  }

  /** Servers whose answer in the last round could not be read. */
  get unreadable(): readonly UnreadableServer[] {
    return this.#unreadable;
  }

  /** Servers that differ from the others. Empty: none does, or it is not certain. */
  get diverged(): readonly Divergence[] {
    return this.#divergence.flagged;
  }

  /** Servers that cannot apply updates because they lack others. Empty: none, or it is not certain. */
  get waitingFor(): readonly WaitingServer[] {
    return this.#waitingFor.flagged;
  }

  /** Merges the whole state of a server and takes it over. */
  merge(server: ServerId, state: Uint8Array): void {
    this.#states.merge(server, state);
  }

  /** The channel was subscribed. Whether it carries updates is not known yet. */
  beginChannel(): void {
    this.#channel.begin();
  }

  /** Updates were dropped on their way, which the next round may find. */
  noteDropped(): void {
    this.#channel.noteDropped();
    this.#events.onGap();
  }

  /** All states of this round have been passed to `merge`. `isJudged`: see `RoomDocumentCommand`. */
  async endRound(isJudged: boolean): Promise<RoundOutcome> {
    const round = await this.#states.endRound();
    if (!round) return { read: 0, unreadable: 0 };
    const servers = round.read;
    this.#holders = servers;
    this.#unreadable = round.unreadable;
    // Even for one server: its elements may differ from those that are shown.
    const divergence = servers.length > 0 ? this.#document.divergence(servers) : undefined;
    const isFirst = !this.#isKnown && servers.length > 0;
    if (isFirst) {
      this.#isKnown = true;
      // Before the held updates, which follow the state.
      this.#events.onMerged();
    }
    if (this.#isKnown) this.#releaseHeld();
    this.#waitingFor.noteRound(round.waiting);
    const found = await divergence?.catch(() => undefined);
    this.#divergence.noteRound(found ?? []);
    if (found) this.#divergenceNews.noteRound({ flagged: this.diverged, found, read: servers });
    // Updates that the channel delivered before the round ended.
    await this.#applying;
    this.#channel.endRound(servers, isJudged);
    this.#events.onStatus();
    if (isFirst) this.#events.onChanged();
    if (this.#hasAdded && (!isFirst || this.isTooLarge)) this.#events.onMerged();
    this.#hasAdded = false;
    return { read: servers.length, unreadable: this.#unreadable.length };
  }

  /** Applies an update of the channel. */
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
      const hasGap = applied.pendingBytes > 0 || applied.droppedBytes > 0;
      this.#hasGap ||= hasGap;
      // The document has become too large: its states are shown instead, and are needed once more.
      const isOutgrown = !applied.isApplied && !this.isTooLarge;
      if (isOutgrown) {
        this.#states.forgetHashes();
        this.#channel.noteDropped();
      }
      if (hasGap || isOutgrown) this.#events.onGap();
    } catch (error) {
      this.#fail(error, update.length);
    }
  }

  /** The document is empty again. Nothing is known until the next round has ended. */
  reset(): void {
    this.#isKnown = false;
    this.#states.reset();
    this.#channel.reset();
  }

  /** The document as JSON; undefined: there is none. */
  async json(types: Readonly<Record<string, Kind>>): Promise<DocumentJson | undefined> {
    if (!this.#isKnown || this.isTooLarge) return undefined;
    // `merge` and `apply` report the reason of a failure.
    return this.#document.toJson({ types }).catch(() => undefined);
  }

  /** The whole document. Empty: nothing is merged yet. Undefined: there is none now. */
  async updates(): Promise<WholeState[] | undefined> {
    if (!this.#isKnown) return [];
    const { unmerged } = this.#states;
    if (unmerged)
      return Array.from(unmerged, ([server, update]) => ({ server, update: { raw: update } }));
    try {
      return [{ update: { base64: await this.#document.encodeBase64() } }];
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#document.close();
  }

  #releaseHeld(): void {
    const { updates, isOverfull } = this.#held.release();
    for (const update of updates) void this.apply(update);
    if (isOverfull) {
      this.#channel.noteDropped();
      this.#events.onGap();
    }
    // All servers have sent their states: updates that still wait would wait forever.
    if (this.#hasGap) void this.#document.dropPending();
    this.#hasGap = false;
  }

  #fail(error: unknown, bytes: number): void {
    const code = error instanceof DocumentError ? error.code : undefined;
    if (code === 'bad_update') this.#events.onGarbage(bytes);
    else if (code === 'backlog') {
      this.#channel.noteDropped();
      this.#events.onGap();
    }
    // Nothing to do for `lost`, which `onLost` reports too, and for `closed`.
  }
}
