import type {
  SpanAttributes,
  SpanOptions,
  TraceSpan,
  Tracing,
} from '../../server/tracing/tracing.js';

/** A span as a test sees it. */
export interface SeenSpan extends TraceSpan {
  name: string;
  kind: SpanOptions['kind'];
  attributes: SpanAttributes;
  parent: SeenSpan | undefined;
  error: string | undefined;
}

/** Makes spans and keeps them. */
export function fakeTracing() {
  const spans: SeenSpan[] = [];
  const begin = (name: string, options: SpanOptions = {}, parent?: SeenSpan): SeenSpan => {
    const { kind, attributes = {} } = options;
    const id = String(spans.length);
    const span: SeenSpan = {
      name,
      kind,
      attributes: { ...attributes },
      parent,
      error: undefined,
      isOpen: true,
      ids: { traceId: parent?.ids?.traceId ?? `trace${id}`, spanId: `span${id}` },
      child: (childName, childOptions) => begin(childName, childOptions, span),
      rename: (renamed) => {
        span.name = renamed;
      },
      set: (more) => void Object.assign(span.attributes, more),
      headers: () => ({ traceparent: `${span.ids?.traceId}-${span.ids?.spanId}` }),
      end: (error) => {
        if (span.isOpen) Object.assign(span, { isOpen: false, error });
      },
    };
    spans.push(span);
    return span;
  };
  const tracing: Tracing = {
    begin: (name, options) => begin(name, options),
    close: async () => {},
  };
  return { tracing, spans };
}
