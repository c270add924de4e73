import type { AgentDocuments } from '../agentTypes.js';
import { encodeAwareness } from '../awareness.js';
import { watchMap } from '../watchMap.js';
import { encodeState } from './encodeState.js';
import type { Host, HostDocument } from './host.js';
import { watchNumber } from './watchNumber.js';

/** What `HostDocuments` is told, and tells. */
export interface HostDocumentsOptions {
  /** A document is in memory, and was not before. */
  found(document: HostDocument): void;
  /** Connections to a document were added or removed, in this synchronous step. */
  changed(room: string, by: number): void;
  /** The connections of a document are not a `Map`: they cannot be counted. */
  unsupported(): void;
  /** A document was encoded by a copy, which took long. */
  slow(ms: number, bytes: number): void;
  countDirect?: boolean | undefined;
  encodeState?: ((document: unknown) => Uint8Array) | undefined;
}

/** So long can a copy take before somebody should know. */
const slowMs = 50;

/**
 * Counts the connections of one Hocuspocus server by name of document. Its hooks cannot: they come
 * late, in the wrong order or not at all. Its `document.connections` is exact at every instant.
 */
export class HostDocuments implements AgentDocuments {
  readonly #options: HostDocumentsOptions;
  /**
   * By name, not by document: a connection can join a document that was unloaded while it waited, and
   * is then in no document that the host knows.
   */
  readonly #counts = new Map<string, number>();
  /** The map of each document that is watched. */
  readonly #watched = new WeakMap<HostDocument, unknown>();
  #host: Host | undefined;

  constructor(options: HostDocumentsOptions) {
    this.#options = options;
  }

  /** Reads the documents of this server from now on. */
  use(host: Host): void {
    this.#host = host;
  }

  /** Watches the connections of a document, once. Call it before the first connection is added. */
  watch(document: HostDocument): void {
    const { connections } = document;
    const isKnown = this.#watched.has(document);
    if (isKnown && this.#watched.get(document) === connections) return;
    if (!(connections instanceof Map)) {
      this.#options.unsupported();
      return;
    }
    const { name } = document;
    const lost = this.#watched.get(document) as ReadonlyMap<unknown, unknown> | undefined;
    this.#watched.set(document, connections);
    this.#add(name, connections.size - (lost?.size ?? 0));
    let { size } = connections;
    watchMap(connections, () => {
      const by = connections.size - size;
      size = connections.size;
      if (by !== 0 && this.#watched.get(document) === connections) this.#change(name, by);
    });
    if (isKnown) return;
    if (this.#options.countDirect) this.#watchDirect(document);
    this.#options.found(document);
  }

  /** Rooms with a connection, then the others in memory. */
  *connections(): Iterable<readonly [room: string, connections: number]> {
    // Those that were loaded before the extension was there, or whose map was replaced since.
    for (const document of this.#loaded()) this.watch(document);
    yield* this.#counts;
    for (const { name } of this.#loaded()) if (!this.#counts.has(name)) yield [name, 0];
  }

  encodedState(room: string): Uint8Array | undefined {
    const document = this.#find(room);
    if (!document) return undefined;
    if (this.#options.encodeState) return this.#options.encodeState(document);
    const startedAt = performance.now();
    const state = encodeState(document);
    const ms = performance.now() - startedAt;
    if (ms > slowMs) this.#options.slow(ms, state.length);
    return state;
  }

  encodedAwareness(room: string): Uint8Array | undefined {
    const document = this.#find(room);
    return document && encodeAwareness(document.awareness);
  }

  /** Version 2 has a document in its map while it is still loading. */
  #find(room: string): HostDocument | undefined {
    const document = this.#host?.documents.get(room);
    return document?.isLoading ? undefined : document;
  }

  *#loaded(): Iterable<HostDocument> {
    for (const document of this.#host?.documents.values() ?? [])
      if (!document.isLoading) yield document;
  }

  #watchDirect(document: HostDocument): void {
    this.#add(document.name, document.directConnectionsCount ?? 0);
    watchNumber(document, 'directConnectionsCount', (by) => this.#change(document.name, by));
  }

  #change(room: string, by: number): void {
    this.#add(room, by);
    this.#options.changed(room, by);
  }

  #add(room: string, by: number): void {
    const count = (this.#counts.get(room) ?? 0) + by;
    if (count === 0) this.#counts.delete(room);
    else this.#counts.set(room, count);
  }
}
