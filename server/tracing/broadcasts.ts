import type { ServerRequest } from '../../machines/ports.js';
import { scopes } from './scope.js';
import type { SpanAttributes, TraceSpan, Tracing } from './tracing.js';

/** What is followed: the machine that counts. Its value is a word only outside of `active`. */
export interface Broadcaster {
  getSnapshot(): BroadcasterSnapshot;
  subscribe(observer: { next(snapshot: BroadcasterSnapshot): void; error(): void }): unknown;
}

interface BroadcasterSnapshot {
  value: unknown;
  context: { roster: Iterable<{ status: string }> };
}

const names = { activating: 'activate fleet', deactivating: 'silence fleet' } as const;
type Broadcast = keyof typeof names;
const isBroadcast = (value: unknown): value is Broadcast =>
  Object.keys(names).includes(String(value));

/**
 * A span for each time that all pub-sub servers are told to post or to stop, until each has answered or failed. An
 * activation belongs to the trace of the viewer that caused it.
 */
export class Broadcasts {
  readonly #tracing: Tracing;
  readonly #machine: Broadcaster;
  #current: { value: Broadcast; span: TraceSpan } | undefined;

  constructor(tracing: Tracing, machine: Broadcaster) {
    this.#tracing = tracing;
    this.#machine = machine;
    machine.subscribe({ next: (snapshot) => this.#follow(snapshot), error: () => this.close() });
  }

  /** Makes the requests of one server, one at a time. Retries belong to the trace of the first attempt. */
  requestsOf(): <T>(request: ServerRequest, ask: () => Promise<T>) => Promise<T> {
    let series: { type: string; failures: number; parent: TraceSpan | undefined } | undefined;
    return async (request, ask) => {
      const { type } = request;
      if (series?.type !== type || series.failures === 0)
        series = { type, failures: 0, parent: this.#parentOf(request) };
      const { failures, parent } = series;
      series.failures += 1;
      const attributes = attributesOf(request, failures);
      const answer = await scopes.run({ span: parent, isKept: true, attributes }, ask);
      series.failures = 0;
      return answer;
    };
  }

  /** The fleet ends. */
  close(): void {
    this.#current?.span.end('cancelled');
    this.#current = undefined;
  }

  /** Undefined: what a single server is asked while the others go on. */
  #parentOf(request: ServerRequest): TraceSpan | undefined {
    const isOfBroadcast =
      request.type === 'silence.requested' ||
      (request.type === 'activity.requested' && request.reason === 'activation');
    if (!isOfBroadcast) return undefined;
    // Requests begin before observers of the machine are told.
    this.#follow(this.#machine.getSnapshot());
    return this.#current?.span;
  }

  #follow({ value, context }: BroadcasterSnapshot): void {
    if (value === this.#current?.value) return;
    this.#end(context);
    if (isBroadcast(value)) this.#current = { value, span: this.#begin(value) };
  }

  #begin(value: Broadcast): TraceSpan {
    // Only a viewer that connects makes it activate. Its request has been answered.
    const cause = value === 'activating' ? scopes.getStore()?.span : undefined;
    return cause?.child(names[value]) ?? this.#tracing.begin(names[value]);
  }

  #end({ roster }: BroadcasterSnapshot['context']): void {
    if (!this.#current) return;
    const { span } = this.#current;
    this.#current = undefined;
    span.set(countsOf(roster));
    span.end();
  }
}

function attributesOf(request: ServerRequest, failures: number): SpanAttributes {
  return {
    ...(request.type === 'activity.requested' && { 'pubsubdash.reason': request.reason }),
    ...(failures > 0 && { 'http.request.resend_count': failures }),
  };
}

/** How many servers there are, and how many did as they were told. */
function countsOf(roster: Iterable<{ status: string }>): SpanAttributes {
  const all = [...roster].map(({ status }) => status);
  const answered = all.filter((status) => ['live', 'deaf', 'silent'].includes(status));
  return { 'pubsubdash.servers': all.length, 'pubsubdash.servers_answered': answered.length };
}
