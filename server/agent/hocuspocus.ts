import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Agent, AgentDocuments, AgentOptions } from './agentTypes.js';
import { createAgent } from './createAgent.js';
import { followDocument } from './followDocument.js';
import { type Host, type HostDocument, isFromRedis } from './hocuspocus/host.js';
import { HostDocuments } from './hocuspocus/hostDocuments.js';
import { HostStores } from './hocuspocus/hostStores.js';
import { SafeLog } from './safeLog.js';
import type { Timings } from './timings.js';

/** The settings of the extension. */
export interface DashboardOptions extends Omit<AgentOptions, 'documents' | 'server' | 'hostKind'> {
  /**
   * Answers the dashboard on the port of Hocuspocus, instead of a port of its own. Anybody who reaches
   * that port can then read documents, unless there is a `secret`. Default false.
   */
  sharePort?: boolean;
  /**
   * `Y.encodeStateAsUpdate`. Default: by the Yjs of Hocuspocus, which has to make a copy of the document
   * first. Worth giving if documents are larger than some megabytes.
   */
  encodeState?: (document: never) => Uint8Array;
  /** Whether a change came from another server, which posts it itself. Default: by the Redis extension. */
  isRemote?: (origin: unknown) => boolean;
}

/** Reports a Hocuspocus server (2, 3 or 4) to the dashboard: `extensions: [new Dashboard({ url })]`. */
export class Dashboard {
  readonly extensionName = 'Dashboard';
  /** After Redis (1000), which decides whether this server stores a document. Before all others (100). */
  readonly priority = 900;
  readonly #options: DashboardOptions;
  readonly #timings: Partial<Timings>;
  readonly #documents: HostDocuments;
  readonly #stores = new HostStores();
  readonly #isRemote: (origin: unknown) => boolean;
  readonly #log: SafeLog;
  /** The agent, which is there only between the start and the end of the server. */
  readonly #reports: Pick<Agent, 'updated' | 'awarenessUpdated' | 'isWatched'> = {
    updated: (...change) => this.#agent?.updated(...change),
    awarenessUpdated: (...change) => this.#agent?.awarenessUpdated(...change),
    isWatched: (room) => this.#agent?.isWatched(room) ?? false,
  };
  #host: Host | undefined;
  #version = '';
  #agent: Agent | undefined;
  #isRefused = false;
  #started: Promise<{ port: number }> | undefined;

  /** `timings` is for tests. */
  constructor(options: DashboardOptions = {}, timings: Partial<Timings> = {}) {
    this.#options = options;
    this.#timings = timings;
    this.#isRemote = options.isRemote ?? isFromRedis;
    this.#log = new SafeLog(options.log);
    this.#documents = new HostDocuments({
      found: (document) => this.#follow(document),
      changed: (room, by) => this.#changed(room, by),
      unsupported: () => this.#refuse(),
      slow: (ms, bytes) =>
        this.#log.warn(
          `pubsub-dashboard: to copy a document took ${Math.round(ms)} ms (${bytes} bytes). ` +
            'Pass `encodeState: Y.encodeStateAsUpdate` to `Dashboard`, which needs no copy.',
          'slow copy',
        ),
      countDirect: options.countDirect,
      encodeState: options.encodeState as ((document: unknown) => Uint8Array) | undefined,
    });
  }

  async onConfigure({ instance, version }: { instance: Host; version?: string }): Promise<void> {
    this.#version = version ?? '';
    this.#use(instance);
  }

  async onListen({ instance }: { instance: Host }): Promise<void> {
    this.#use(instance);
    const server = this.#options.sharePort ? instance.server?.httpServer : undefined;
    await this.start(server ? { server } : {});
  }

  /** Nobody can be connected to the document before this resolves. */
  async onLoadDocument(loading: { instance: Host; document: HostDocument }): Promise<void> {
    const { instance, document } = loading;
    this.#use(instance);
    this.#documents.watch(document);
  }

  async onStoreDocument({ document }: { document: HostDocument }): Promise<void> {
    this.#stores.begun(document);
  }

  async afterStoreDocument({ document }: { document: HostDocument }): Promise<void> {
    this.#stores.stored(document);
  }

  /** Hocuspocus waits for this, and its signal handlers end the process after it. */
  async onDestroy(): Promise<void> {
    await this.close();
  }

  /**
   * For `new Hocuspocus()` without its `Server`, which would call it. With your HTTP `server` it answers
   * the dashboard on that port. Without, on a port of its own. Never rejects.
   */
  async start(options: { server?: Server } = {}): Promise<{ port: number }> {
    this.#started ??= this.#start(options);
    return this.#started;
  }

  /** Answers a request of the dashboard on your own HTTP server. False: it is not for the dashboard. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#agent?.handle(request, response) ?? false;
  }

  /** Posts what is left, within a second, and stops. Never rejects. */
  async close(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await started;
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.close();
  }

  async #start(options: { server?: Server }): Promise<{ port: number }> {
    // `onConfigure` is called in the microtask after the constructor of Hocuspocus.
    await undefined;
    if (this.#isRefused) return { port: 0 };
    const hostKind = `hocuspocus ${this.#version}`.trim();
    const documents = this.#agentDocuments();
    this.#agent = createAgent({ ...this.#options, hostKind, documents }, this.#timings);
    return this.#agent.start(options);
  }

  #agentDocuments(): AgentDocuments {
    const [documents, stores, host] = [this.#documents, this.#stores, this.#host];
    // Version 2 does not tell whether a document is still being stored.
    const hasStores = host !== undefined && Number.parseInt(this.#version, 10) >= 3;
    return {
      connections: () => documents.connections(),
      encodedState: (room) => documents.encodedState(room),
      encodedAwareness: (room) => documents.encodedAwareness(room),
      ...(hasStores && { stores: () => stores.count(host) }),
    };
  }

  #use(host: Host): void {
    this.#host = host;
    this.#documents.use(host);
  }

  /** While it loads, a document gets what was stored, which is no change. */
  #follow(document: HostDocument): void {
    const isRemote = (origin: unknown) => document.isLoading === true || this.#isRemote(origin);
    document.on('update', (_, origin) => {
      if (!isRemote(origin)) this.#stores.changed(document);
    });
    document.on('destroy', () => this.#stores.unloaded(document));
    followDocument(document.name, document, { agent: this.#reports, isRemote });
  }

  #changed(room: string, by: number): void {
    for (let i = 0; i < by; i += 1) this.#agent?.opened(room);
    for (let i = 0; i > by; i -= 1) this.#agent?.closed(room);
  }

  /** No counts are better than wrong ones: the dashboard shows the server as unreachable. */
  #refuse(): void {
    this.#isRefused = true;
    this.#log.warn(
      `pubsub-dashboard: this version of Hocuspocus (${this.#version}) is not supported: ` +
        '`document.connections` is not a Map, so connections cannot be counted. This server is not reported.',
    );
    void this.close();
  }
}
