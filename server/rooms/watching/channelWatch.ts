import type { ServerId } from '../../../machines/ports.js';
import type { AddedRanges } from '../../documents/documentProtocol.js';
import { UndeliveredChanges } from './undeliveredChanges.js';

/** Whether the channel of a room delivers what its servers have. */
export interface ChannelWatchEvents {
  /** A round found changes on a server that the channel has not delivered. */
  onUndelivered: () => void;
  /** The channel delivered new or missing changes, and none is missing now. Called once until `onUndelivered`. */
  onDelivered: () => void;
}

/** Compares the changes that rounds find on a room's servers with those that its channel delivers. */
export class ChannelWatch {
  readonly #events: ChannelWatchEvents;
  readonly #undelivered: UndeliveredChanges;
  /** Servers whose states came in the round before. Their new changes are newer than that round. */
  #servers: ReadonlySet<ServerId> = new Set();
  #isDelivering = false;
  /** Whether this service dropped an update, which the next round may find. */
  #hasDropped = false;
  /** Whether an update arrived since the last round. */
  #hasUpdate = false;

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number, events: ChannelWatchEvents) {
    this.#undelivered = new UndeliveredChanges(now);
    this.#events = events;
  }

  /** The channel was subscribed. */
  begin(): void {
    this.#undelivered.clear();
    this.#isDelivering = false;
  }

  /** The document is empty again. */
  reset(): void {
    this.#undelivered.clear();
    this.#servers = new Set();
  }

  /** This service dropped an update of the channel. */
  noteDropped(): void {
    this.#hasDropped = true;
  }

  /** A server had changes that the document lacked. After a round the channel should have delivered them. */
  noteAdded(server: ServerId, added: AddedRanges): void {
    if (this.#servers.has(server)) this.#undelivered.add(added);
  }

  /** A server had changes, in a room without a document to tell which. */
  noteUnknown(server: ServerId): void {
    if (this.#servers.has(server) && !this.#hasUpdate) this.#undelivered.add(undefined);
  }

  noteUpdate(update: Uint8Array, isNew: boolean): void {
    this.#hasUpdate = true;
    const wasMissing = this.#undelivered.deliver(update);
    if (this.#isDelivering || !this.#undelivered.isEmpty || !(isNew || wasMissing)) return;
    this.#isDelivering = true;
    this.#events.onDelivered();
  }

  /** A round that read the states of these servers has ended. `isJudged`: see `RoomDocumentCommand`. */
  endRound(servers: Iterable<ServerId>, isJudged: boolean): void {
    this.#servers = new Set(servers);
    this.#undelivered.dropOld();
    if (!isJudged || this.#hasDropped) this.#undelivered.clear();
    this.#hasDropped = false;
    this.#hasUpdate = false;
    if (this.#undelivered.isEmpty) return;
    this.#isDelivering = false;
    this.#events.onUndelivered();
  }
}
