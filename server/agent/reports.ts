import type { Activation, AgentDocuments } from './agentTypes.js';
import { ContentPosts } from './contentPosts.js';
import { OriginPosts } from './originPosts.js';
import { Outbound } from './outbound.js';
import type { SafeLog } from './safeLog.js';
import type { Timings } from './timings.js';
import { WatchedRooms, type WatchList } from './watchedRooms.js';

/** What the reports need. */
export interface ReportsOptions {
  readonly documents: AgentDocuments;
  readonly timings: Timings;
  readonly log: SafeLog;
  /** The activation has changed. */
  changed(activation: Activation): void;
  /** The dashboard does not know the URL, or does not take posts: ask it. */
  missed(): void;
}

const inactive: Activation = { active: false, eventsUrl: '' };
const roomsPerTurn = 50;

/** What the agent reports: deltas and content, to the URLs that the dashboard gave. */
export class Reports {
  readonly #options: ReportsOptions;
  readonly #outbound: Outbound;
  /** Separate sockets, so that no delta waits behind content. */
  readonly #contentOutbound: Outbound;
  readonly #events: OriginPosts;
  /** Updates of all rooms, while the activation wants them. */
  readonly #updates: ContentPosts;
  readonly #watched: WatchedRooms;
  readonly #watchedContent: ContentPosts;
  #activation = inactive;

  constructor(options: ReportsOptions) {
    const { timings } = options;
    const { deadlineMs, gatherMs, firstRetryMs: retryMs } = timings;
    this.#options = options;
    this.#outbound = new Outbound({ deadlineMs, maxSockets: 4 });
    this.#contentOutbound = new Outbound({ deadlineMs, maxSockets: 2 });
    this.#events = new OriginPosts({
      send: (request) => this.#outbound.send(request),
      gatherMs,
      refused: (url) => this.#forgotten(url),
      suspended: () => options.missed(),
    });
    const content = {
      send: this.#contentOutbound.send.bind(this.#contentOutbound),
      gatherMs,
      retryMs,
    };
    this.#updates = new ContentPosts({
      ...content,
      url: () => (this.#activation.updates ? this.#activeUrl() : undefined),
      refused: (url) => this.#forgotten(url),
      tellsLost: false,
    });
    this.#watched = new WatchedRooms(timings.watchedMs);
    this.#watchedContent = new ContentPosts({
      ...content,
      url: () => this.#watchedUrl(),
      refused: (url) => url === this.#watchedUrl() && this.#watched.end(),
      tellsLost: true,
    });
  }

  get activation(): Activation {
    return this.#activation;
  }

  announce(room: string, add: 1 | -1): void {
    const { active, eventsUrl } = this.#activation;
    if (active) this.#events.put(eventsUrl, room, add);
  }

  updated(room: string, update: Uint8Array): void {
    const posts = this.#watched.has(room) ? this.#watchedContent : this.#updates;
    posts.put(room, 'update', update);
  }

  awarenessUpdated(room: string, update: Uint8Array): void {
    if (this.#watched.has(room)) this.#watchedContent.put(room, 'awareness', update);
  }

  isWatched(room: string): boolean {
    return this.#watched.has(room);
  }

  /** Deltas belong to the URL that was valid when they happened: they keep theirs. */
  activate(activation: Activation): void {
    this.#activation = activation;
    this.#events.resume();
    if (!activation.active || !activation.updates) this.#updates.clear();
    this.#options.changed(activation);
  }

  /** The dashboard has answered a query: it takes posts again. */
  resume(): void {
    this.#events.resume();
  }

  /** Replaces the watched rooms, and posts the awareness of the new ones. */
  watch(list: WatchList): void {
    const added = this.#watched.replace(list);
    this.#watchedContent.keep((room) => this.#watched.has(room));
    this.#postAwareness(added);
  }

  /** Resolves when all posts are answered or have failed. */
  async settled(): Promise<void> {
    const posts = [this.#events, this.#updates, this.#watchedContent];
    await Promise.all(posts.map((each) => each.settled()));
  }

  close(): void {
    this.#activation = inactive;
    this.#watched.end();
    for (const posts of [this.#events, this.#updates, this.#watchedContent]) posts.clear();
    this.#outbound.close();
    this.#contentOutbound.close();
    this.#options.changed(inactive);
  }

  #activeUrl(): string | undefined {
    return this.#activation.active ? this.#activation.eventsUrl : undefined;
  }

  #watchedUrl(): string | undefined {
    const { rooms, eventsUrl } = this.#watched.list;
    return rooms.size > 0 ? (eventsUrl ?? this.#activeUrl()) : undefined;
  }

  #forgotten(url: string): void {
    if (url !== this.#activeUrl()) return;
    this.activate(inactive);
    this.#options.missed();
  }

  /** In slices: there may be a thousand rooms. */
  #postAwareness(rooms: readonly string[]): void {
    const { documents, log } = this.#options;
    for (const room of rooms.slice(0, roomsPerTurn)) {
      try {
        const awareness = this.isWatched(room) && documents.encodedAwareness?.(room);
        if (awareness) this.awarenessUpdated(room, awareness);
      } catch (cause) {
        log.warn(`pubsub-dashboard: awareness could not be encoded: ${String(cause)}`, 'awareness');
      }
    }
    if (rooms.length <= roomsPerTurn) return;
    setImmediate(() => this.#postAwareness(rooms.slice(roomsPerTurn))).unref();
  }
}
