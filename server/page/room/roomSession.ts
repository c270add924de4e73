import { fromBase64 } from 'lib0/buffer';
import * as Y from 'yjs';
import type { PeopleChanges, RoomPeople } from '../../wire/awareness.js';
import type { LogEntry } from '../../wire/logEntry.js';
import type { RoomStatus } from '../../wire/roomStatus.js';
import { RecentChanges } from './recentChanges.js';

/** What the stream has told about the room so far. */
export interface RoomSnapshot {
  status: RoomStatus | undefined;
  people: RoomPeople;
  /** The latest updates, newest first. */
  log: readonly LogEntry[];
  /** Grows with every change of the document, and when highlights expire. */
  version: number;
  hasDocument: boolean;
  /** Bytes of updates that wait for `mergeHeld`, because the room is too large; 0: none. */
  heldBytes: number;
  /** The last event that could not be read. */
  problem: string | undefined;
}

const maxLogEntries = 500;
/** Limit of the held updates, in base64 characters: enough for the states of a few servers. */
const maxHeldLength = 512 * 1024 * 1024;

/** A watched room: its document merged from the stream, its people and its log. */
export class RoomSession {
  readonly #onChange: () => void;
  readonly #recent: RecentChanges;
  #doc = new Y.Doc();
  #isNewConnection = true;
  #held: string[] = [];
  #heldLength = 0;
  #isMergingAll = false;
  #snapshot: RoomSnapshot = {
    status: undefined,
    people: { clients: [], leftOut: 0, dropped: 0, since: null },
    log: [],
    version: 0,
    hasDocument: false,
    heldBytes: 0,
    problem: undefined,
  };

  /** Calls `onChange` after each change of the snapshot. `now` must be a monotonic clock. */
  constructor(onChange: () => void, now = () => performance.now()) {
    this.#onChange = onChange;
    this.#recent = new RecentChanges(now);
    this.#listen();
  }

  get snapshot(): RoomSnapshot {
    return this.#snapshot;
  }

  get doc(): Y.Doc {
    return this.#doc;
  }

  get recent(): RecentChanges {
    return this.#recent;
  }

  /** The stream has reconnected: the next state replaces the document. */
  startConnection(): void {
    this.#isNewConnection = true;
    this.#held = [];
    this.#heldLength = 0;
    if (this.#snapshot.heldBytes > 0) this.#set({ heldBytes: 0 });
  }

  /** Handles an event of `?as=updates`. Ignores unknown events. */
  handle(event: string, data: string): void {
    try {
      if (event === 'room') this.#set({ status: JSON.parse(data) });
      else if (event === 'awareness') this.#set({ people: JSON.parse(data) });
      else if (event === 'awareness-changes') this.#applyPeople(JSON.parse(data));
      else if (event === 'state') this.#applyState(JSON.parse(data));
      else if (event === 'update') this.#applyUpdate(JSON.parse(data));
    } catch (error) {
      this.#set({
        problem: `The service sent an invalid "${event}" event: ${(error as Error).message}`,
      });
    }
  }

  /** Adds the updates that the service logged before this page connected. */
  addLog(entries: readonly LogEntry[]): void {
    const known = new Set(this.#snapshot.log.map(keyOf));
    const older = entries.filter((entry) => !known.has(keyOf(entry)));
    const log = [...this.#snapshot.log, ...older].sort((a, b) => (a.at < b.at ? 1 : -1));
    this.#set({ log: log.slice(0, maxLogEntries) });
  }

  /** Merges the held updates of a room that is too large for the service. */
  mergeHeld(): void {
    this.#isMergingAll = true;
    const held = this.#held;
    this.#held = [];
    this.#heldLength = 0;
    for (const update of held) this.#apply(update, true);
    this.#set({ heldBytes: 0 });
  }

  /** Ends expired highlights. */
  expire(): void {
    if (!this.#recent.isEmpty && this.#recent.expire())
      this.#set({ version: this.#snapshot.version + 1 });
  }

  close(): void {
    this.#doc.destroy();
  }

  #applyState({ update, server }: { update: string; server?: string }): void {
    if (server !== undefined && !this.#isMergingAll) {
      this.#hold(update);
      return;
    }
    if (this.#isNewConnection && this.#snapshot.hasDocument) this.#replace(update);
    else this.#apply(update, !this.#snapshot.hasDocument);
    this.#isNewConnection = false;
    this.#set({ hasDocument: true });
  }

  #applyPeople({ clients, gone, ...about }: PeopleChanges): void {
    const byClient = new Map(this.#snapshot.people.clients.map((each) => [each.client, each]));
    for (const each of clients) byClient.set(each.client, each);
    for (const client of gone) byClient.delete(client);
    const sorted = [...byClient.values()].sort((a, b) => a.client - b.client);
    this.#set({ people: { clients: sorted, ...about } });
  }

  #applyUpdate({ update, ...entry }: LogEntry & { update: string }): void {
    const log = [entry, ...this.#snapshot.log].slice(0, maxLogEntries);
    const isLarge = this.#snapshot.status?.tooLarge === true && !this.#isMergingAll;
    if (isLarge) this.#hold(update);
    else this.#apply(update, false);
    this.#set({ log });
  }

  /** Above the limit, new updates are dropped. A reload brings them back. */
  #hold(update: string): void {
    if (this.#heldLength + update.length <= maxHeldLength) this.#held.push(update);
    else
      this.#set({
        problem: 'This room is larger than the page can hold. Reload the page to see the rest.',
      });
    this.#heldLength += update.length;
    this.#set({ heldBytes: Math.floor((this.#heldLength * 3) / 4) });
  }

  #apply(update: string, isFirst: boolean): void {
    const origin = { isFirst };
    Y.applyUpdate(this.#doc, fromBase64(update), origin);
    this.#set({ version: this.#snapshot.version + 1, hasDocument: true });
  }

  /** Replaces the document. Content that is new since the last connection counts as recent. */
  #replace(update: string): void {
    const before = vectorOf(this.#doc);
    this.#doc.destroy();
    this.#doc = new Y.Doc();
    Y.applyUpdate(this.#doc, fromBase64(update));
    this.#listen();
    this.#recent.recordGrowth(before, vectorOf(this.#doc));
    this.#set({ version: this.#snapshot.version + 1 });
  }

  #listen(): void {
    this.#doc.on('afterTransaction', (transaction: Y.Transaction) => {
      if (!transaction.origin?.isFirst) this.#recent.record(transaction);
    });
  }

  #set(part: Partial<RoomSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...part };
    this.#onChange();
  }
}

const vectorOf = (doc: Y.Doc) => Y.decodeStateVector(Y.encodeStateVector(doc));
/** Numbers restart when the room was not watched for a while, so they are not unique alone. */
const keyOf = ({ number, at }: LogEntry) => `${number} ${at}`;
