import type { Logger } from 'pino';
import type { Config } from '../config/config.js';
import type { Tracing } from './tracing.js';

type TracingConfig = Pick<Config, 'otlpEndpoint' | 'otlpProtocol' | 'otelDisabled'>;

/**
 * Loads OpenTelemetry and begins to trace. Undefined: tracing is off, or its packages are not installed, which is
 * logged: a service without traces is better than none.
 */
export async function loadTracing(
  { otlpEndpoint: endpoint, otlpProtocol: protocol, otelDisabled }: TracingConfig,
  log: Logger,
): Promise<Tracing | undefined> {
  if (endpoint === undefined || otelDisabled) return undefined;
  try {
    const { otlpTracing } = await import('./otlpTracing.js');
    return otlpTracing({ endpoint, protocol, log });
  } catch (error) {
    log.warn({ err: error }, `there are no traces: ${hintFor(error)}`);
    return undefined;
  }
}

const hintFor = (error: unknown) =>
  (Object(error) as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND'
    ? 'the packages of OpenTelemetry are not installed. Install this service without --omit=optional'
    : 'OpenTelemetry did not start';
