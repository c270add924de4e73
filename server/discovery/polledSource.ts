import type { Logger } from 'pino';
import type { ServerId } from '../../machines/ports.js';
import { hostAndPort, isAddress } from '../addresses.js';
import { causeOf } from '../causeOf.js';
import type { SourceReport } from '../wire/sourceReport.js';
import type { DiscoverySource } from './discoverySource.js';

/** What polling needs of the rest of the service. */
export interface PollingNeeds {
  /** Whether this service may send requests to an address and port. */
  mayContact: (address: string, port: number) => boolean;
  log: Logger;
  /** Limit for an answer. */
  deadlineMs: number;
  /** Limit of servers from one source. */
  maxServers: number;
  /** How many times this process was paused. Default: never. */
  pauses?: (() => number) | undefined;
}

const maxErrorLength = 300;

/** A discovery source with the servers of its last answer: a failure removes none. */
export class PolledSource {
  readonly #source: DiscoverySource;
  readonly #needs: PollingNeeds;
  readonly #onAnswer: () => void;
  readonly #stop = new AbortController();
  #isPolling = false;
  #isPollDue = false;
  #servers: readonly ServerId[] = [];
  #leftOut = 0;
  #lastSuccessAt: Date | null = null;
  #error: string | null = null;

  constructor(source: DiscoverySource, needs: PollingNeeds, onAnswer: () => void) {
    this.#source = source;
    this.#needs = needs;
    this.#onAnswer = onAnswer;
  }

  get servers(): readonly ServerId[] {
    return this.#servers;
  }

  /** Whether it may name servers that crashed long ago. */
  get mayBeStale(): boolean {
    return this.#source.mayBeStale === true;
  }

  /** Whether totals must wait for its first answer, because it may name unknown servers. */
  get isPending(): boolean {
    return !this.hasAnswered && this.#source.isEmbedded !== true;
  }

  get hasAnswered(): boolean {
    return this.#lastSuccessAt !== null;
  }

  report(): Omit<SourceReport, 'gone' | 'goneServers'> {
    return {
      name: this.#source.name,
      servers: this.#servers.length,
      leftOut: this.#leftOut,
      lastSuccessAt: this.#lastSuccessAt?.toISOString() ?? null,
      error: this.#error,
    };
  }

  /** Asks the source. During another poll it is asked again afterwards. */
  async poll(): Promise<void> {
    this.#isPollDue = true;
    if (this.#isPolling) return;
    this.#isPolling = true;
    while (this.#isPollDue && !this.#stop.signal.aborted) {
      this.#isPollDue = false;
      const pauses = this.#pauses();
      await this.#ask().then(
        (named) => this.#take(named),
        (error: unknown) => this.#takeFailure(error, pauses),
      );
    }
    this.#isPolling = false;
  }

  stop(): void {
    this.#stop.abort(new Error('stopped'));
    this.#source.close?.();
  }

  /**
   * Ends at the deadline or on `stop()`, even if the source ignores its signal. Not `withDeadline`: here the
   * deadline aborts the request too.
   */
  async #ask(): Promise<ServerId[]> {
    const { deadlineMs } = this.#needs;
    const attempt = new AbortController();
    const stop = () => attempt.abort(this.#stop.signal.reason);
    const late = () => attempt.abort(new Error(`did not answer within ${deadlineMs} ms`));
    const timer = setTimeout(late, deadlineMs);
    this.#stop.signal.addEventListener('abort', stop);
    try {
      return await new Promise((resolve, reject) => {
        attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason));
        Promise.resolve(this.#source.discover(attempt.signal)).then(resolve, reject);
      });
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener('abort', stop);
    }
  }

  #take(named: readonly ServerId[]): void {
    if (this.#stop.signal.aborted) return;
    const { maxServers } = this.#needs;
    const distinct = new Set(named);
    const allowed = [...distinct].filter((server) => this.#isAllowed(server));
    const isCut = allowed.length > maxServers;
    // Sources stop at one more than the limit, so the servers that they left out may be allowed.
    const isFull = distinct.size > maxServers;
    // Sorted, so every round takes the same servers.
    this.#servers = isCut ? allowed.sort().slice(0, maxServers) : allowed;
    this.#leftOut = distinct.size - this.#servers.length;
    this.#lastSuccessAt = new Date();
    const words = isCut ? `${allowed.length} servers` : `${distinct.size} addresses or more`;
    this.#note(isFull ? `names ${words}, but only ${this.#servers.length} are used` : null);
    this.#onAnswer();
  }

  /** If this process was paused meanwhile, the source is not the cause: it is asked again at once. */
  #takeFailure(error: unknown, pausesBefore: number): void {
    if (this.#pauses() > pausesBefore) this.#isPollDue = true;
    else this.#note(messageOf(error));
  }

  #pauses(): number {
    return this.#needs.pauses?.() ?? 0;
  }

  /** Allows any host name: its addresses are checked on each request. */
  #isAllowed(server: ServerId): boolean {
    const { host, port } = hostAndPort(server);
    return !isAddress(host) || this.#needs.mayContact(host, port);
  }

  #note(error: string | null): void {
    if (this.#stop.signal.aborted || error === this.#error) return;
    this.#error = error;
    const { name } = this.#source;
    if (error === null) this.#needs.log.info({ source: name }, 'a discovery source works again');
    else this.#needs.log.warn({ source: name, error }, 'a discovery source fails');
  }
}

function messageOf(error: unknown): string {
  return (causeOf(error) || 'failed').slice(0, maxErrorLength);
}
