import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import { plainCause } from '../dependencies/plainCause.js';

const succeeded = 0;

/**
 * An exporter that logs when the collector does not take spans, and when it does again. The SDK itself is silent.
 * `collector`: host and port.
 */
export function notedExporter(
  exporter: SpanExporter,
  log: Pick<Logger, 'warn' | 'info'>,
  collector: string,
): SpanExporter {
  let lost = 0;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const { code, error } = result;
        if (code !== succeeded) {
          if (lost === 0)
            log.warn({ collector, cause: causeIn(error) }, 'traces cannot be sent and are lost');
          lost += spans.length;
        } else if (lost > 0) {
          log.info({ collector, lost }, 'traces are sent again');
          lost = 0;
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

/** The exporter's errors have the status of the answer as `code`, and its reason phrase as message. */
function causeIn(error: (Error & { code?: unknown }) | undefined): string {
  if (typeof error?.code === 'number') return `answered ${error.code}`;
  return plainCause(error ?? new Error('no answer in time')).slice(0, 300);
}
