import type { ServerId } from '../../machines/ports.js';
import { hostAndPort } from '../addresses.js';
import { scopes } from './scope.js';
import type { TraceSpan, Tracing } from './tracing.js';

/** A request to a pub-sub server. */
export interface Exchange {
  server: ServerId;
  method: string;
  path: string;
  isSecure: boolean;
}

/**
 * Makes a request to a pub-sub server inside a span. `send` gets the headers that continue the trace. Its errors have
 * no secrets; the query of the path may contain the name of a room, and is left out.
 */
export async function traceExchange<Answer extends { status: number }>(
  tracing: Tracing,
  exchange: Exchange,
  send: (headers: Record<string, string>) => Promise<Answer>,
): Promise<Answer> {
  const span = begin(tracing, exchange);
  try {
    const answer = await send(span.headers());
    span.set({ 'http.response.status_code': answer.status });
    span.end(answer.status >= 400 ? String(answer.status) : undefined);
    return answer;
  } catch (error) {
    const { message } = error as Error;
    span.set({ 'error.message': message });
    span.end(errorTypeOf(message));
    throw error;
  }
}

function begin(tracing: Tracing, { server, method, path, isSecure }: Exchange): TraceSpan {
  const { host, port } = hostAndPort(server);
  const [template = ''] = path.split('?', 1);
  const { span: parent, isKept, attributes } = scopes.getStore() ?? {};
  const name = `${method} ${template}`;
  const options = {
    kind: 'client',
    attributes: {
      'http.request.method': method,
      'server.address': host,
      'server.port': port,
      'url.full': `${isSecure ? 'https' : 'http'}://${server}${template}`,
      'url.template': template,
      ...attributes,
    },
  } as const;
  const isParent = parent !== undefined && (isKept || parent.isOpen);
  return isParent ? parent.child(name, options) : tracing.begin(name, options);
}

/** A word with few values: the code of a network error, or what ended the request. */
function errorTypeOf(message: string): string {
  if (/^timeout/i.test(message)) return 'timeout';
  if (message === 'stopped') return 'cancelled';
  return /\bE[A-Z_]{4,}\b/.exec(message)?.[0] ?? '_OTHER';
}
