import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import { scopes } from './scope.js';
import type { TraceSpan, Tracing } from './tracing.js';

/** The methods of semantic conventions; others are `_OTHER`. */
const methods = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'];
const eventStream = 'text/event-stream';
const posts = '/api/events';

/** Requests that are answered now, and their routes. */
const routes = new WeakMap<IncomingMessage, string>();

/** Answers requests inside spans: questions to the API, and whatever brings a trace of its own. */
export function traceRequests(listener: RequestListener, tracing: Tracing): RequestListener {
  return (req, res) => {
    if (!isTraced(req)) return listener(req, res);
    const method = methodOf(req);
    const attributes = {
      'http.request.method': method,
      'url.scheme': 'encrypted' in req.socket ? 'https' : 'http',
      'network.protocol.version': req.httpVersion,
    };
    const span = tracing.begin(method, { kind: 'server', attributes }, req.headers);
    endWithAnswer(span, req, res);
    scopes.run({ span }, () => listener(req, res));
  };
}

/**
 * There are thousands of posts a second, and health checks, scrapes and files of the page say nothing new. So these
 * are traced only as a part of their sender's trace.
 */
function isTraced({ method, url = '', headers }: IncomingMessage): boolean {
  if (headers.traceparent !== undefined) return true;
  const path = pathOf(url);
  const isPost = method === 'POST' && path === posts;
  return path.startsWith('/api/') && !path.startsWith('/api/instances/') && !isPost;
}

/** The span of a stream ends with its headers: the stream itself may last for hours. */
function endWithAnswer(span: TraceSpan, req: IncomingMessage, res: ServerResponse): void {
  const { writeHead } = res;
  res.writeHead = ((...args: Parameters<typeof writeHead>) => {
    const written = writeHead.apply(res, args);
    if (!String(res.getHeader('content-type')).startsWith(eventStream)) return written;
    span.set({ 'pubsubdash.stream': true });
    end(span, req, res);
    return written;
  }) as typeof writeHead;
  res.once('close', () => {
    if (!res.writableFinished) span.set({ 'pubsubdash.client_gone': true });
    end(span, req, res);
  });
}

/** Without the path and query of the request, which may contain rooms and tokens. */
function end(span: TraceSpan, req: IncomingMessage, { statusCode, headersSent }: ServerResponse) {
  const method = methodOf(req);
  const route = routes.get(req) ?? (pathOf(req.url) === posts ? posts : undefined);
  if (route !== undefined) {
    span.rename(`${method} ${route}`);
    span.set({ 'http.route': route, ...(!/[:{]/.test(route) && { 'url.path': route }) });
  }
  if (headersSent) span.set({ 'http.response.status_code': statusCode });
  span.end(headersSent && statusCode >= 500 ? String(statusCode) : undefined);
}

/** Middleware that notes which route answers a request. */
export const noteRoute: Middleware = (ctx, next) =>
  scopes.getStore() ? next().finally(() => noteRouteOf(ctx.req, ctx.matched)) : next();

/** Layers without methods are middleware. */
type Layers = readonly { path: string | RegExp; methods: readonly string[] }[] | undefined;

function noteRouteOf(req: IncomingMessage, layers: Layers): void {
  const path = layers?.find(({ methods: { length } }) => length > 0)?.path;
  if (path !== undefined) routes.set(req, templateOf(path));
}

/** The route with names in place of what varies: `/api/rooms/{name}/servers`. */
export function templateOf(route: string | RegExp): string {
  if (typeof route === 'string') return route;
  return route.source
    .replace(/^\^|\$$/g, '')
    .replaceAll('\\/', '/')
    .replace(/\(?(?:\[[^\]]*\]|\.)(?:\[[^\]]*\])?\*\)?/g, '{name}');
}

const pathOf = (url = '') => url.split('?', 1)[0] ?? '';

const methodOf = ({ method = '' }: IncomingMessage) =>
  methods.includes(method) ? method : '_OTHER';
