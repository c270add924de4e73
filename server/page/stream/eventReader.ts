import { createParser, type EventSourceParser } from 'eventsource-parser';
import { refusalOf } from '../refusal.js';
import { steadyNow } from '../steadyNow.js';
import type { StreamEvent, StreamStatus } from './messages.js';

/** Timeouts and intervals of a reader, in milliseconds. */
export interface ReaderTiming {
  /** Timeout of the response headers. */
  connectMs: number;
  /** Silence after which a stream is stale. The service sends a heartbeat every 15 s. */
  staleMs: number;
  /** Silence after which the reader reconnects. */
  deadMs: number;
  firstRetryMs: number;
  maxRetryMs: number;
  watchMs: number;
}

const usualTiming: ReaderTiming = {
  connectMs: 15_000,
  staleMs: 20_000,
  deadMs: 45_000,
  firstRetryMs: 1000,
  maxRetryMs: 15_000,
  watchMs: 1000,
};

/** Limit for `Retry-After` and `retry`. The user can always retry immediately. */
const maxAskedMs = 5 * 60_000;
/** A check that is this many intervals late shows that the browser throttled the timers. */
const lateChecks = 3;

/** Why a connection ended. */
interface Ending {
  reason: string;
  isSignedOut?: boolean;
  /** The wait that the service asked for. */
  retryMs?: number | undefined;
}

/** What a reader reports. */
export interface ReaderCallbacks {
  onEvent: (event: StreamEvent) => void;
  onStatus: (status: StreamStatus) => void;
}

/**
 * Reads an event stream with fetch. Reconnects after every cut and resumes with `Last-Event-ID`. An
 * EventSource would stop for good after one error status, and it hides the status and the heartbeats.
 */
export class EventReader {
  readonly #url: string;
  readonly #callbacks: ReaderCallbacks;
  readonly #timing: ReaderTiming;
  #status: StreamStatus = { kind: 'connecting' };
  #connection = new AbortController();
  #lastEventId = '';
  #heardAtMs = 0;
  #watchedAtMs = 0;
  #wasLate = false;
  #failures = 0;
  #cutAtMs: number | undefined;
  #isClosed = false;
  #endPause: () => void = () => undefined;

  constructor(url: string, callbacks: ReaderCallbacks, timing: Partial<ReaderTiming> = {}) {
    this.#url = url;
    this.#callbacks = callbacks;
    this.#timing = { ...usualTiming, ...timing };
    void this.#run();
  }

  get status(): StreamStatus {
    return this.#status;
  }

  /** Retries immediately. */
  retry(): void {
    this.#endPause();
  }

  close(): void {
    this.#isClosed = true;
    this.#connection.abort();
    this.#endPause();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const ending = await this.#read().catch(
        (error: unknown): Ending => ({ reason: reasonOf(error) }),
      );
      if (this.#isClosed) return;
      if (ending.isSignedOut) this.#set({ kind: 'signedOut' });
      await this.#pause(ending);
    }
  }

  /** Reads one connection to its end. */
  async #read(): Promise<Ending> {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    this.#heardAtMs = steadyNow();
    this.#watchedAtMs = this.#heardAtMs;
    const watch = setInterval(() => this.#watch(), this.#timing.watchMs);
    const tooLate = setTimeout(
      () => this.#connection.abort(new Error('The service did not answer')),
      this.#timing.connectMs,
    );
    try {
      const response = await fetch(this.#url, { signal, headers: this.#headers() });
      clearTimeout(tooLate);
      if (!response.ok || !response.body) return await endingOf(response);
      // A proxy that requires a login answers with its own page.
      if (!isEventStream(response)) return { reason: 'The response is not from this service' };
      return await this.#follow(response.body);
    } finally {
      clearTimeout(tooLate);
      clearInterval(watch);
      // An unread body would keep its connection open.
      this.#connection.abort();
    }
  }

  async #follow(body: ReadableStream<Uint8Array>): Promise<Ending> {
    const ending: Ending = { reason: 'The stream ended' };
    let isEmpty = true;
    const parser = createParser({
      onEvent: ({ event = 'message', id, data }) => {
        isEmpty = false;
        if (id !== undefined) this.#lastEventId = id;
        this.#callbacks.onEvent({ event, data });
      },
      onRetry: (retryMs) => {
        ending.retryMs = retryMs;
      },
    });
    await this.#feed(body, parser);
    if (isEmpty && ending.retryMs !== undefined)
      ending.reason = 'The service accepts no viewers at the moment: it is full or shutting down';
    return ending;
  }

  async #feed(body: ReadableStream<Uint8Array>, parser: EventSourceParser): Promise<void> {
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#hear();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  #hear(): void {
    this.#heardAtMs = steadyNow();
    this.#failures = 0;
    this.#cutAtMs = undefined;
    if (this.#status.kind !== 'live') this.#set({ kind: 'live' });
  }

  /** Detects silence. After a late check, data may still be unread, so the next check decides. */
  #watch(): void {
    const nowMs = steadyNow();
    const isLate = nowMs - this.#watchedAtMs > lateChecks * this.#timing.watchMs;
    const isExcused = isLate && !this.#wasLate;
    this.#watchedAtMs = nowMs;
    this.#wasLate = isExcused;
    if (isExcused) return;
    const silentMs = nowMs - this.#heardAtMs;
    if (silentMs > this.#timing.deadMs) this.#connection.abort(new Error('The stream timed out'));
    else if (silentMs > this.#timing.staleMs && this.#status.kind === 'live')
      this.#set({ kind: 'stale', sinceMs: this.#heardAtMs });
  }

  /** Waits for the next attempt; when signed out, until `retry` or `close`. */
  async #pause({ reason, isSignedOut, retryMs }: Ending): Promise<void> {
    const waitMs = Math.min(retryMs ?? this.#backoffMs(), maxAskedMs);
    // A stream that timed out has told nothing since it became stale.
    this.#cutAtMs ??= this.#status.kind === 'stale' ? this.#status.sinceMs : steadyNow();
    this.#failures += 1;
    const sinceMs = this.#cutAtMs;
    if (!isSignedOut)
      this.#set({ kind: 'reconnecting', sinceMs, reason, retryAtMs: steadyNow() + waitMs });
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      if (!isSignedOut) timer = setTimeout(resolve, waitMs);
    });
    clearTimeout(timer);
  }

  /** Exponential backoff with jitter, so that not all browsers reconnect at the same moment. */
  #backoffMs(): number {
    const { firstRetryMs, maxRetryMs } = this.#timing;
    return Math.min(maxRetryMs, firstRetryMs * 2 ** this.#failures) * (0.8 + 0.2 * Math.random());
  }

  #headers(): Record<string, string> {
    const headers = { Accept: 'text/event-stream' };
    return this.#lastEventId === '' ? headers : { ...headers, 'Last-Event-ID': this.#lastEventId };
  }

  #set(status: StreamStatus): void {
    this.#status = status;
    this.#callbacks.onStatus(status);
  }
}

const isEventStream = ({ headers }: Response) =>
  headers.get('Content-Type')?.startsWith('text/event-stream') ?? false;

async function endingOf(response: Response): Promise<Ending> {
  const { code, message, retryAfterSeconds } = await refusalOf(response);
  return {
    isSignedOut: code === 'unauthorized',
    reason: message,
    retryMs: retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000,
  };
}

/** One message for network errors: those of fetch differ by browser and do not help. */
function reasonOf(error: unknown): string {
  const isNetwork = error instanceof TypeError || !(error instanceof Error);
  return isNetwork ? 'The service cannot be reached' : error.message;
}
