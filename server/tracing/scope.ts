import { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanAttributes, TraceSpan } from './tracing.js';

/** What code runs for. Promises, timers and callbacks take it along. */
export interface Scope {
  /** Undefined: requests begin traces of their own. */
  readonly span: TraceSpan | undefined;
  /** Requests belong to the span even if it has ended. Default: only while it is open. */
  readonly isKept?: boolean;
  /** Added to the spans of requests. */
  readonly attributes?: SpanAttributes;
}

/** Empty while tracing is off. */
export const scopes = new AsyncLocalStorage<Scope>();

/** The span that this code runs in; undefined: none, or it has ended. Timers outlive the request that set them. */
export function openSpan(): TraceSpan | undefined {
  const span = scopes.getStore()?.span;
  return span?.isOpen ? span : undefined;
}

/** Fields of a log line that is written inside a span. */
export function traceFields(): { trace_id?: string; span_id?: string } {
  const ids = openSpan()?.ids;
  return ids ? { trace_id: ids.traceId, span_id: ids.spanId } : {};
}

/** Headers that continue the trace that this code runs in; none without one. */
export function traceHeaders(): Record<string, string> {
  return openSpan()?.headers() ?? {};
}
