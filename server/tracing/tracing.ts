/** Strings, numbers and booleans by the names of OpenTelemetry's semantic conventions. */
export type SpanAttributes = Record<string, string | number | boolean>;

/** Headers of a request, by lower-case names. */
export type TraceHeaders = Record<string, string | string[] | undefined>;

export interface SpanOptions {
  /** `server`: a request that came in. `client`: a question to something outside. Default: `internal`. */
  kind?: 'server' | 'client' | 'internal';
  attributes?: SpanAttributes;
}

/** A piece of work in a trace. Its owner ends it. */
export interface TraceSpan {
  /** Names for log lines; undefined: the span is not recorded, so nobody would find it. */
  readonly ids: { traceId: string; spanId: string } | undefined;
  /** Whether it has not ended. */
  readonly isOpen: boolean;
  /** Begins a span in this one, which may have ended. */
  child(name: string, options?: SpanOptions): TraceSpan;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** `traceparent` and `tracestate`, which continue the trace elsewhere (W3C Trace Context). */
  headers(): Record<string, string>;
  /** `error`: the attribute `error.type`, a short word; undefined: nothing went wrong. Later calls do nothing. */
  end(error?: string): void;
}

/** Port: makes spans, and sends them to a collector. Its owner closes it. */
export interface Tracing {
  /** Begins a span: in the trace that these headers bring, or in one of its own. */
  begin(name: string, options?: SpanOptions, headers?: TraceHeaders): TraceSpan;
  /** Sends what is left. Never rejects; its caller sets the deadline. */
  close(): Promise<void>;
}
