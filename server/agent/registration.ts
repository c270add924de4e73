import type { Activation } from './agentTypes.js';
import type { OutboundAnswer, OutboundRequest } from './outbound.js';
import { parseAnswer } from './parseActivation.js';
import type { SafeLog } from './safeLog.js';
import type { Timings } from './timings.js';

/** What the registration needs. */
export interface RegistrationOptions {
  /** Addresses of the dashboard, asked in turn until one answers. */
  readonly urls: readonly string[];
  readonly timings: Timings;
  readonly log: SafeLog;
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  /** The parameters of a query; of a renewal: with what the agent does now. */
  query(kind: QueryKind): string;
  /** The dashboard has answered. */
  answered(kind: QueryKind, activation: Activation): void;
}

export type QueryKind = 'startup' | 'renewal';

/** Asks the dashboard at the start, until it answers, and then about once a minute. */
export class Registration {
  readonly #options: RegistrationOptions;
  #timer: NodeJS.Timeout | undefined;
  #kind: QueryKind = 'startup';
  /** The dashboard has sent a request since the last query was sent. */
  #isKnown = false;
  #failures = 0;
  /** When `askAgain` sent the last query, or will send the next one, and the pause before it. */
  #askedAgainAtMs = Number.NEGATIVE_INFINITY;
  #pauseMs = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Sends the first query. */
  start(): void {
    if (this.#options.urls.length > 0) void this.#ask();
  }

  /**
   * Sends a start-up query soon: the dashboard has forgotten this server, or takes no posts. Later if that
   * did not help before: each query makes the dashboard take a snapshot.
   */
  askAgain(): void {
    this.#kind = 'startup';
    if (!this.#asking && this.#failures === 0) this.#planAgain();
  }

  #planAgain(): void {
    const { askAgainMs, maxRetryMs } = this.#options.timings;
    const nowMs = performance.now();
    if (nowMs < this.#askedAgainAtMs) return;
    const hasHelped = nowMs - this.#askedAgainAtMs >= 2 * this.#pauseMs;
    this.#pauseMs = hasHelped ? askAgainMs : Math.min(maxRetryMs, 2 * this.#pauseMs);
    this.#askedAgainAtMs = Math.max(nowMs, this.#askedAtMs + this.#pauseMs);
    this.#after(this.#askedAgainAtMs - nowMs);
  }

  /**
   * The dashboard has sent a request, so it knows this server: a planned start-up query becomes a renewal. Its
   * answer would replace a URL that is good.
   */
  noteRequest(): void {
    this.#isKnown = true;
    this.#kind = 'renewal';
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #after(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#options.urls.length === 0) return;
    this.#timer = setTimeout(() => void this.#ask(), ms).unref();
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = this.#round().catch(() => undefined);
    await this.#asking;
    this.#asking = undefined;
  }

  /** Asks each address until one answers, and plans the next round. */
  async #round(): Promise<void> {
    clearTimeout(this.#timer);
    const kind = this.#kind;
    this.#askedAtMs = performance.now();
    this.#kind = 'renewal';
    this.#isKnown = false;
    const activation = await this.#firstAnswer(kind);
    if (this.#isClosed) return;
    if (activation) this.#succeeded(kind, activation);
    else this.#failed(kind);
  }

  async #firstAnswer(kind: QueryKind): Promise<Activation | undefined> {
    for (const base of this.#options.urls) {
      const url = `${base.replace(/\/+$/, '')}/api/events/clients?${this.#options.query(kind)}`;
      const answer = await this.#options.send({ method: 'GET', url }).catch(() => undefined);
      const activation = answer && parseAnswer(answer.text);
      if (activation || this.#isClosed) return activation;
    }
    return undefined;
  }

  #succeeded(kind: QueryKind, activation: Activation): void {
    const { log, urls, timings } = this.#options;
    log.info(registered(urls));
    log.forget(unanswered(urls));
    this.#failures = 0;
    this.#options.answered(kind, activation);
    // Meanwhile it may have been asked to ask again.
    if (this.#kind === 'startup') this.#planAgain();
    else this.#after(timings.renewalMs + (Math.random() * 2 - 1) * timings.renewalJitterMs);
  }

  #failed(kind: QueryKind): void {
    const { log, urls, timings } = this.#options;
    log.warn(unanswered(urls));
    log.forget(registered(urls));
    if (kind === 'startup' && !this.#isKnown) this.#kind = 'startup';
    const pauseMs = Math.min(timings.maxRetryMs, timings.firstRetryMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#after(pauseMs * (0.75 + Math.random() / 2));
  }
}

const registered = (urls: readonly string[]) =>
  `pubsub-dashboard: registered with ${urls.join(', ')}`;
const unanswered = (urls: readonly string[]) =>
  `pubsub-dashboard: no answer from ${urls.join(', ')}. Nothing is reported until it answers.`;
