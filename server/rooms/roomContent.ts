import type { ServerId } from '../../machines/ports.js';
import type { Divergence } from '../documents/divergence.js';
import { DocumentError } from '../documents/documentErrors.js';
import type { Applied } from '../documents/documentProtocol.js';
import type { RoomDocument } from '../documents/roomDocument.js';
import type { Kind } from '../documents/sharedTypes.js';
import { DivergenceWatch } from './divergenceWatch.js';
import { HeldUpdates } from './heldUpdates.js';

/** Whom the content of a room tells of what happens to it. */
export interface RoomContentEvents {
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

/** The document of a watched room, put together from its servers' states and its channel's updates. */
export class RoomContent {
  readonly #document: RoomDocument;
  readonly #events: RoomContentEvents;
  readonly #held = new HeldUpdates();
  readonly #divergence = new DivergenceWatch();
  /** Servers that sent their state in this round. */
  #round: ServerId[] = [];
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
  }

  /** Servers that held the room in the last round. */
  get holders(): readonly ServerId[] {
    return this.#holders;
  }

  get isTooLarge(): boolean {
    return this.#unmerged !== undefined;
  }

  /** Which server misses what; empty: they agree, or it is not certain. */
  get diverged(): readonly Divergence[] {
    return this.#divergence.flagged;
  }

  /** Takes a server's whole state; it is given away. */
  async merge(server: ServerId, state: Uint8Array): Promise<void> {
    this.#round.push(server);
    try {
      const merged = await this.#document.merge(state, server);
      const isTooLarge = merged.type === 'tooLarge';
      if (isTooLarge) this.#unmerged = (this.#unmerged ?? new Map()).set(server, merged.state);
      if (isTooLarge || (merged.isChanged && this.#isKnown)) this.#events.onMerged();
      if (isTooLarge) this.#events.onStatus();
      else if (merged.isChanged) this.#events.onChanged();
    } catch (error) {
      this.#fail(error, state.length);
    }
  }

  /** All states of this round have been given to `merge`. */
  async endRound(): Promise<void> {
    const servers = this.#round;
    this.#round = [];
    this.#holders = servers;
    const divergence = servers.length > 1 ? this.#document.divergence(servers) : undefined;
    const { updates, isOverfull } = this.#held.release();
    const isFirst = !this.#isKnown && servers.length > 0;
    if (servers.length > 0) this.#isKnown = true;
    for (const update of updates) void this.apply(update);
    if (isOverfull) this.#events.onGap();
    // What still waits, although all servers have said what they hold, would wait for ever.
    if (this.#hasGap) void this.#document.dropPending();
    this.#hasGap = false;
    const compared = await divergence?.catch(() => undefined);
    const isNews = this.#divergence.noteRound(compared ?? []);
    this.#events.onStatus();
    if (isFirst) this.#events.onMerged();
    if (isFirst || isNews) this.#events.onChanged();
  }

  /** Takes an update of the channel. */
  async apply(update: Uint8Array): Promise<void> {
    this.#divergence.noteUpdate();
    if (!this.#isKnown) {
      this.#held.hold(update);
      return;
    }
    try {
      const applied = await this.#document.apply(update);
      this.#events.onUpdate(applied, update);
      if (applied.isChanged) this.#events.onChanged();
      if (applied.pendingBytes > 0 || applied.droppedBytes > 0) {
        this.#hasGap = true;
        this.#events.onGap();
      }
    } catch (error) {
      this.#fail(error, update.length);
    }
  }

  /** The document is empty again: nothing is known before the next round has ended. */
  reset(): void {
    this.#isKnown = false;
    this.#unmerged = undefined;
    this.#round = [];
  }

  /** The data of a `state` event as JSON; undefined: there is none. */
  async json(types: Readonly<Record<string, Kind>>): Promise<Buffer | undefined> {
    if (!this.#isKnown || this.isTooLarge) return undefined;
    try {
      const { json, isTruncated } = await this.#document.toJson({ types });
      return Buffer.concat([
        Buffer.from(`{"truncated":${isTruncated},"document":`),
        json,
        Buffer.from('}'),
      ]);
    } catch {
      // What made it fail is told by whoever merges or applies.
      return undefined;
    }
  }

  /** The data of `state` events with the states as updates; undefined: nothing is merged yet. */
  async updates(): Promise<string[] | undefined> {
    if (!this.#isKnown) return undefined;
    if (this.#unmerged)
      return Array.from(this.#unmerged, ([server, state]) => stateData({ server }, state));
    try {
      return [stateData({}, await this.#document.encode())];
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#document.close();
  }

  #fail(error: unknown, bytes: number): void {
    const code = error instanceof DocumentError ? error.code : undefined;
    if (code === 'bad_update') this.#events.onGarbage(bytes);
    else if (code === 'backlog') this.#events.onGap();
    // `lost` comes by `onLost` as well, `closed` is the end: there is nobody to tell.
  }
}

function stateData(head: object, state: Uint8Array): string {
  return JSON.stringify({ ...head, update: Buffer.from(state).toString('base64') });
}
