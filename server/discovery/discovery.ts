import type { Logger } from 'pino';
import { fromCallback } from 'xstate';
import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { DiscoveryRequest, ServerId } from '../../machines/ports.js';
import type { ServersTable } from '../store/store.js';
import type { SourceReport } from '../wire/sourceReport.js';
import type { DiscoverySource } from './discoverySource.js';
import { GoneServers } from './goneServers.js';
import { PolledSource, type PollingNeeds } from './polledSource.js';
import { RememberedServers } from './rememberedServers.js';

/** What discovery needs of the rest of the service. Tests shorten the times. */
export interface DiscoveryNeeds {
  sources: readonly DiscoverySource[];
  /** Stores the servers that no source names. */
  servers: ServersTable;
  /** Whether servers may be missing until those that no source names were read. Default: false. */
  waitsForRemembered?: boolean;
  /** The servers of the configuration: always known, never removed. */
  configured: readonly ServerId[];
  mayContact: PollingNeeds['mayContact'];
  pauses?: PollingNeeds['pauses'];
  log: Logger;
  intervalMs?: number | undefined;
  deadlineMs?: number;
  maxServers?: number;
  retryMs?: number;
}

type FoundEvent = Extract<ActivationEvent, { type: 'servers.found' | 'servers.discovered' }>;

/** A new server must be live after 10 s. One of them is for the request to it. */
const defaults = { intervalMs: 9000, deadlineMs: 5000, maxServers: 5000 };
/** How often a gone server is tried again, and how many in a round. */
const retries = { everyMs: 60_000, max: 20 };
const maxGoneShown = 20;

/**
 * Asks every discovery source in rounds: until it has answered once, and between `discovery.begun` and
 * `discovery.ended`.
 */
export class Discovery {
  readonly #sources: PolledSource[];
  readonly #remembered: RememberedServers;
  readonly #recall: PolledSource;
  readonly #gone = new GoneServers();
  readonly #log: Logger;
  readonly #configured: ReadonlySet<ServerId>;
  readonly #intervalMs: number;
  readonly #waitsForRemembered: boolean;
  #send: (event: FoundEvent) => void = () => {};
  #isBegun = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: DiscoveryNeeds) {
    const { servers, log, sources, configured, retryMs = 1000 } = needs;
    const polling = { ...defaults, ...needs };
    this.#waitsForRemembered = needs.waitsForRemembered ?? false;
    this.#intervalMs = needs.intervalMs ?? defaults.intervalMs;
    this.#log = log;
    this.#configured = new Set(configured);
    this.#remembered = new RememberedServers(servers, log, retryMs);
    this.#sources = sources.map(
      (source) => new PolledSource(source, polling, () => this.#sendDiscovered()),
    );
    // Not one of the sources: a server that it names may be removed like any other.
    const recall = { name: 'remembered', discover: () => this.#remembered.recall() };
    this.#recall = new PolledSource(recall, polling, () => this.#sendRecalled());
  }

  /** Starts the first round. `send` is called with what is found, until `stop`. */
  start(send: (event: FoundEvent) => void): void {
    this.#send = send;
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

  /** Whether every source has answered since the start; if not, servers may be missing. */
  get haveSourcesAnswered(): boolean {
    if (this.#waitsForRemembered && !this.#recall.hasAnswered) return false;
    return !this.#sources.some(({ isPending }) => isPending);
  }

  /** Notes that a server answered. */
  noteHeard(server: ServerId): void {
    this.#remembered.noteHeard(server);
  }

  /** Whether a server was removed because it did not answer, and has not come back. */
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

  /** Sends the servers of the last answers of all sources. */
  #sendDiscovered(): void {
    const named = this.#namedBy(({ mayBeStale }) => !mayBeStale);
    for (const server of named) this.#gone.delete(server);
    const fromRooms = this.#fromRooms(named);
    const servers = this.#withoutConfigured([...named, ...fromRooms]);
    this.#send({ type: 'servers.discovered', servers, ...(fromRooms.length > 0 && { fromRooms }) });
  }

  /** The servers that only the rooms table names, without those that are gone. */
  #fromRooms(named: ReadonlySet<ServerId>): ServerId[] {
    const inRooms = [...this.#namedBy(({ mayBeStale }) => mayBeStale)];
    return this.#withoutConfigured(inRooms).filter(
      (server) => !named.has(server) && !this.#gone.has(server),
    );
  }

  #namedBy(isIncluded: (source: PolledSource) => boolean): Set<ServerId> {
    return new Set(this.#sources.filter(isIncluded).flatMap(({ servers }) => servers));
  }

  #noteGone(server: ServerId): void {
    this.#gone.add(server);
    if (this.#namedBy(({ mayBeStale }) => mayBeStale).has(server))
      this.#log.warn(
        { server },
        'the rooms table names a server that does not answer: it is not counted as a server',
      );
  }

  /** Tries gone servers again as candidates: one may have been restarted at the same address. */
  #retryGone(): void {
    const servers = this.#gone.takeDue(
      this.#namedBy(({ mayBeStale }) => mayBeStale),
      retries,
    );
    if (servers.length > 0) this.#send({ type: 'servers.found', servers, standing: 'candidate' });
  }

  /** A server that has not answered for a day is a candidate: neither shown nor waited for until it answers. */
  #sendRecalled(): void {
    const recalled = this.#withoutConfigured(this.#recall.servers);
    const isOld = (server: ServerId) => this.#remembered.isOld(server);
    const servers = recalled.filter((server) => !isOld(server));
    const candidates = recalled.filter(isOld);
    if (servers.length > 0) this.#send({ type: 'servers.found', servers, standing: 'found' });
    if (candidates.length > 0)
      this.#send({ type: 'servers.found', servers: candidates, standing: 'candidate' });
  }

  #withoutConfigured(servers: readonly ServerId[]): ServerId[] {
    return servers.filter((server) => !this.#configured.has(server));
  }
}

/** Fills the slot `discovery` of the activation machine. */
export function createDiscovery(discovery: Discovery) {
  return fromCallback<DiscoveryRequest>(({ receive, sendBack }) => {
    receive((request) => discovery.take(request));
    discovery.start(sendBack);
    return () => discovery.stop();
  });
}
