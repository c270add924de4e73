/** The only file that imports OpenTelemetry. `loadTracing.ts` loads it if tracing is on. */

import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import { serviceVersion } from '../serviceVersion.js';
import { notedExporter } from './notedExporter.js';
import type { SpanAttributes, SpanOptions, TraceHeaders, TraceSpan, Tracing } from './tracing.js';

/** Where traces go. All other settings are `OTEL_*` variables, which the SDK reads itself. */
export interface OtlpOptions {
  /** Without the path `/v1/traces`. */
  endpoint: string;
  protocol: 'http/protobuf' | 'http/json';
  log: Logger;
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;
const propagator = new W3CTraceContextPropagator();

/** Sends spans to a collector: OTLP over HTTP, in batches. */
export function otlpTracing({ endpoint, protocol, log }: OtlpOptions): Tracing {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter;
  const exporter = notedExporter(new Exporter({ url }), log, new URL(url).host);
  const provider = new BasicTracerProvider({
    resource: ownResource(),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('pubsub-dashboard', serviceVersion());
  return {
    begin: (name, options, headers) => begin(tracer, name, options, contextIn(headers)),
    close: () => provider.shutdown().catch(() => {}),
  };
}

/** Not registered globally: several services may run in a process. */
function ownResource() {
  const own = { 'service.name': 'pubsub-dashboard', 'service.version': serviceVersion() };
  const configured = detectResources({ detectors: [envDetector] });
  return defaultResource().merge(resourceFromAttributes(own)).merge(configured);
}

const contextIn = (headers: TraceHeaders = {}) =>
  propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);

function begin(
  tracer: Tracer,
  name: string,
  { kind = 'internal', attributes = {} }: SpanOptions = {},
  parent: Context,
): TraceSpan {
  return new OtlpSpan(tracer, tracer.startSpan(name, { kind: kinds[kind], attributes }, parent));
}

class OtlpSpan implements TraceSpan {
  readonly #tracer: Tracer;
  readonly #span: Span;
  isOpen = true;

  constructor(tracer: Tracer, span: Span) {
    this.#tracer = tracer;
    this.#span = span;
  }

  get ids(): TraceSpan['ids'] {
    return this.#span.isRecording() ? this.#span.spanContext() : undefined;
  }

  child(name: string, options?: SpanOptions): TraceSpan {
    return begin(this.#tracer, name, options, trace.setSpan(ROOT_CONTEXT, this.#span));
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    this.#span.setAttributes(attributes);
  }

  headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    propagator.inject(trace.setSpan(ROOT_CONTEXT, this.#span), headers, defaultTextMapSetter);
    return headers;
  }

  end(error?: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    if (error !== undefined) {
      this.#span.setAttribute('error.type', error);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}
