import type { Logger } from 'pino';
import { fromCallback } from 'xstate';
import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { DiscoveryRequest, ServerId } from '../../machines/ports.js';
import type { ServersTable } from '../store/store.js';
import type { SourceReport } from '../wire/sourceReport.js';
import { GoneServers } from './goneServers.js';
import { PolledSource, type PollingNeeds } from './polledSource.js';
import { RememberedServers } from './rememberedServers.js';
import type { Source } from './source.js';

/** What discovery needs of the rest of the service. Times are for tests to shorten. */
export interface DiscoveryNeeds {
  sources: readonly Source[];
  /** Where the servers are kept that no source names. */
  servers: ServersTable;
  /** The operator's own servers: known anyway, and never let go. */
  configured: readonly ServerId[];
  mayContact: PollingNeeds['mayContact'];
  log: Logger;
  intervalMs?: number | undefined;
  deadlineMs?: number;
  maxServers?: number;
  retryMs?: number;
}

type Found = Extract<ActivationEvent, { type: 'servers.found' | 'servers.discovered' }>;

/** A new server is to be live 10 s after it can be found: the last second is for asking it. */
const defaults = { intervalMs: 9000, deadlineMs: 5000, maxServers: 5000 };
/** How often an address of the rooms table that did not answer is tried again, and how many in a round. */
const retrial = { everyMs: 60_000, max: 20 };
const maxGoneShown = 20;

/**
 * Asks every source for itself, interval by interval: until it has answered once, and all the time
 * between `discovery.begun` and `discovery.ended`.
 */
export class Discovery {
  readonly #sources: PolledSource[];
  readonly #remembered: RememberedServers;
  readonly #recall: PolledSource;
  readonly #gone = new GoneServers();
  readonly #log: Logger;
  readonly #configured: ReadonlySet<ServerId>;
  readonly #intervalMs: number;
  #tell: (event: Found) => void = () => {};
  #isBegun = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: DiscoveryNeeds) {
    const { servers, log, sources, configured, retryMs = 1000 } = needs;
    const polling = { ...defaults, ...needs };
    this.#intervalMs = needs.intervalMs ?? defaults.intervalMs;
    this.#log = log;
    this.#configured = new Set(configured);
    this.#remembered = new RememberedServers(servers, log, retryMs);
    this.#sources = sources.map(
      (source) => new PolledSource(source, polling, () => this.#tellDiscovered()),
    );
    // No source that names servers: those that are remembered may be let go like any other.
    const recall = { name: 'remembered', discover: () => this.#remembered.recall() };
    this.#recall = new PolledSource(recall, polling, () => this.#tellRecalled());
  }

  /** Starts with one round; `tell` is called with what is found until `stop`. */
  start(tell: (event: Found) => void): void {
    this.#tell = tell;
    this.#startRounds();
  }

  take(request: DiscoveryRequest): void {
    switch (request.type) {
      case 'discovery.begun':
        this.#isBegun = true;
        this.#startRounds();
        break;
      case 'discovery.ended':
        this.#isBegun = false;
        break;
      case 'server.proved':
        this.#gone.delete(request.server);
        this.#remembered.remember(request.server);
        break;
      case 'server.forgotten':
        this.#noteGone(request.server);
        this.#remembered.forget(request.server);
    }
  }

  reports(): SourceReport[] {
    return this.#sources.map((source) => {
      const gone = source.servers.filter((server) => this.#gone.has(server));
      return {
        ...source.report(),
        gone: gone.length,
        goneServers: gone.slice(0, maxGoneShown),
      };
    });
  }

  /** Whether every source has answered once: until then there may be servers that nobody knows of. */
  get areSourcesHeard(): boolean {
    return !this.#sources.some(({ isUnheard }) => isUnheard);
  }

  /** It answered: who is remembered is known to be there. */
  noteHeard(server: ServerId): void {
    this.#remembered.noteHeard(server);
  }

  /** Whether it was let go because it did not answer, and has not been heard of since. */
  isGone(server: ServerId): boolean {
    return this.#gone.has(server);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const source of this.#sources) source.stop();
    this.#recall.stop();
    this.#remembered.stop();
  }

  #startRounds(): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#round(), this.#intervalMs);
    this.#round();
  }

  #round(): void {
    const unanswered = [this.#recall, ...this.#sources].filter((source) => !source.hasAnswered);
    const due = this.#isBegun ? new Set([...unanswered, ...this.#sources]) : unanswered;
    for (const source of due) void source.poll();
    if (this.#isBegun) this.#retryGone();
    if (!this.#isBegun && unanswered.length === 0) clearInterval(this.#timer);
  }

  /** What the sources name together, each as it last answered. */
  #tellDiscovered(): void {
    const named = this.#namedBy(({ mayBeStale }) => !mayBeStale);
    for (const server of named) this.#gone.delete(server);
    const fromRooms = this.#fromRooms(named);
    const servers = this.#withoutConfigured([...named, ...fromRooms]);
    this.#tell({ type: 'servers.discovered', servers, ...(fromRooms.length > 0 && { fromRooms }) });
  }

  /** The servers that only the rooms table names, but for those that are gone. */
  #fromRooms(named: ReadonlySet<ServerId>): ServerId[] {
    const inRooms = [...this.#namedBy(({ mayBeStale }) => mayBeStale)];
    return this.#withoutConfigured(inRooms).filter(
      (server) => !named.has(server) && !this.#gone.has(server),
    );
  }

  #namedBy(isMeant: (source: PolledSource) => boolean): Set<ServerId> {
    return new Set(this.#sources.filter(isMeant).flatMap(({ servers }) => servers));
  }

  #noteGone(server: ServerId): void {
    this.#gone.add(server);
    if (this.#namedBy(({ mayBeStale }) => mayBeStale).has(server))
      this.#log.warn(
        { server },
        'the rooms table names a server that does not answer: it is not counted as one',
      );
  }

  /** A server may have started again at an address that did not answer: it is asked, and not waited for. */
  #retryGone(): void {
    const servers = this.#gone.takeDue(
      this.#namedBy(({ mayBeStale }) => mayBeStale),
      retrial,
    );
    if (servers.length > 0) this.#tell({ type: 'servers.found', servers, standing: 'candidate' });
  }

  /** Who was not heard of for a day is asked, but neither shown nor waited for until it answers. */
  #tellRecalled(): void {
    const recalled = this.#withoutConfigured(this.#recall.servers);
    const isOld = (server: ServerId) => this.#remembered.isOld(server);
    const servers = recalled.filter((server) => !isOld(server));
    const candidates = recalled.filter(isOld);
    if (servers.length > 0) this.#tell({ type: 'servers.found', servers, standing: 'found' });
    if (candidates.length > 0)
      this.#tell({ type: 'servers.found', servers: candidates, standing: 'candidate' });
  }

  #withoutConfigured(servers: readonly ServerId[]): ServerId[] {
    return servers.filter((server) => !this.#configured.has(server));
  }
}

/** The slot `discovery` of the activation machine. */
export function createDiscovery(discovery: Discovery) {
  return fromCallback<DiscoveryRequest>(({ receive, sendBack }) => {
    receive((request) => discovery.take(request));
    discovery.start(sendBack);
    return () => discovery.stop();
  });
}
