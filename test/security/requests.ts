/** Requests to every route, made from docs/openapi.yaml: as it says, and as nobody should ask. */

import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import type { RouterInstance } from '@koa/router';
import fc from 'fast-check';
import { createApp } from '../../server/app.js';
import { appNeeds } from '../server/appNeeds.js';
import { operations as described, type Parameter, resolve } from '../support/openapi.js';

/** One operation of the description, with its references resolved. */
export interface Operation {
  method: string;
  path: string;
  parameters: Parameter[];
  /** Statuses that it says it may answer. */
  statuses: ReadonlySet<string>;
  takesBody: boolean;
  /** Whether it is answered without a token. */
  isOpen: boolean;
}

const resolved = (parameter: Parameter) =>
  parameter.$ref ? (resolve(parameter.$ref).value as Parameter) : parameter;

/** Every operation of docs/openapi.yaml. */
export const operations: readonly Operation[] = described.map(
  ({ path, method, operation, shared }) => ({
    method: method.toUpperCase(),
    path,
    parameters: [...shared, ...(operation.parameters ?? [])].map(resolved),
    statuses: new Set(Object.keys(operation.responses)),
    takesBody: operation.requestBody !== undefined,
    isOpen: operation.security?.length === 0,
  }),
);

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The path of an operation with something in the place of its parameters. */
export const samplePath = ({ path }: Operation) =>
  path.replace('{hour}', '5').replace(/{\w+}/g, 'name');

const app = createApp(appNeeds());
const routes = (app.middleware as { router?: RouterInstance }[]).flatMap(
  ({ router }) => router?.stack ?? [],
);
const routeOf = (method: string, path: string) =>
  routes.find((layer) => layer.methods.includes(method) && layer.match(path));
const operationByRoute = new Map(
  operations.map((each) => [routeOf(each.method, samplePath(each)), each]),
);

/** The operation that a request means to this service, whichever it was made from; undefined: none. */
export function meantBy({ method, target: url }: Sent): Operation | undefined {
  const { path } = app.createContext({ url, headers: {} } as IncomingMessage, {} as never);
  const route = routeOf(method, path);
  return route && operationByRoute.get(route);
}

/** A request as it goes out; its target need not be what a URL can have. */
export interface Sent {
  method: string;
  target: string;
  headers?: Record<string, string>;
  body?: string | undefined;
}

/** A request, and the operation that it was made from. */
export interface FuzzedRequest extends Sent {
  operation: Operation;
  headers: Record<string, string>;
}

/** What came back; of a stream the head alone. */
export interface FuzzedAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined: it is a stream, or the answer to HEAD. */
  text: string | undefined;
}

const oddTexts = [
  'r',
  'a/b',
  'name',
  '',
  '__proto__',
  'constructor',
  '%',
  '%00',
  '%2f..%2f',
  '%f0%28%8c%28',
  '../../package.json',
  '-1',
  '0',
  '1e9',
  '9'.repeat(400),
  'NaN',
  'true',
  'null',
  '[]',
  'a&b=c',
  'a=b?c#d',
  '\u0000\r\n',
  '*',
  '\ud800',
  'x'.repeat(3000),
];

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer().map(String) },
);

/** Lone surrogates have no UTF-8. */
const wellFormed = (value: string) => Buffer.from(value).toString();

/** In a target: encoded as it should be, or not at all where a request line can hold it. */
const encoded = (part: fc.Arbitrary<string>) =>
  fc.tuple(part, fc.boolean()).map(([value, isEncoded]) => {
    if (isEncoded) return encodeURIComponent(wellFormed(value));
    return value.replace(/[^\u0021-\u00ff]/gu, (each) => encodeURIComponent(wellFormed(each)));
  });

const wordOf = ({ schema }: Parameter) =>
  fc.oneof(text, ...(schema?.enum ? [fc.constantFrom(...schema.enum)] : []));

const query = ({ parameters }: Operation) => {
  const known = parameters.filter((parameter) => parameter.in === 'query');
  const name = fc.oneof(fc.constantFrom('token', '__proto__', ...known.map((it) => it.name)), text);
  const pairs = known.map((parameter) =>
    fc.tuple(fc.constant(parameter.name), encoded(wordOf(parameter))),
  );
  const pair = fc.oneof(fc.tuple(encoded(name), encoded(text)), ...pairs);
  return fc.array(pair, { maxLength: 4 }).map((all) => all.map((each) => each.join('=')).join('&'));
};

const headerNames = [
  'Accept',
  'Accept-Encoding',
  'Authorization',
  'Content-Encoding',
  'Content-Type',
  'Cookie',
  'Expect',
  'Forwarded',
  'Host',
  'If-Modified-Since',
  'If-None-Match',
  'Last-Event-ID',
  'Origin',
  'Range',
  'Sec-Fetch-Site',
  'Upgrade',
  'X-Forwarded-For',
  'X-Forwarded-Proto',
  'X-HTTP-Method-Override',
];
const headerValues = [
  'application/json',
  'text/event-stream',
  'application/octet-stream',
  '*/*;q=0',
  ';;;,,,',
  'gzip, deflate, br',
  'identity',
  'Bearer x',
  'Basic Og==',
  'https://evil.example',
  'null',
  'localhost',
  '127.0.0.1',
  'websocket',
  'same-site',
  'bytes=0-1,-1',
  'W/"x"',
  '__proto__=1; pubsub-dashboard-=; =;;',
  '2001:db8::1, unknown, 169.254.169.254',
];
const headers = fc.dictionary(
  fc.constantFrom(...headerNames),
  fc.oneof(
    fc.constantFrom(...headerValues),
    fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((c) => String.fromCharCode(c)) }),
  ),
  { maxKeys: 4, noNullPrototype: true },
);

const delta = fc.record({
  room: text,
  add: fc.oneof(fc.constantFrom(1, -1), fc.double(), fc.constant(null)),
});
const body = fc.oneof(
  fc.constant(undefined),
  text,
  fc.json(),
  fc.oneof(delta, fc.array(delta)).map((value) => JSON.stringify(value)),
  text.map((token) => JSON.stringify({ token })),
);

/** Any request to one of these operations. */
export const requestsTo = (operations: readonly Operation[]): fc.Arbitrary<FuzzedRequest> =>
  fc.constantFrom(...operations).chain((operation) =>
    fc
      .record({
        method: fc.oneof(
          { weight: 5, arbitrary: fc.constant(operation.method) },
          { weight: 1, arbitrary: fc.constantFrom(...methods, 'HEAD', 'OPTIONS', 'PURGE') },
        ),
        names: fc.tuple(encoded(text), encoded(text)),
        search: query(operation),
        ending: fc.oneof(
          { weight: 8, arbitrary: fc.constant('') },
          { weight: 1, arbitrary: fc.constantFrom('/', '//', '/..', '%2f', ';x', '.json') },
        ),
        headers,
        body: operation.takesBody
          ? body
          : fc.oneof(
              { weight: 4, arbitrary: fc.constant(undefined) },
              { weight: 1, arbitrary: body },
            ),
      })
      .map(({ names, search, ending, ...rest }) => {
        let next = 0;
        const path = operation.path.replace(/{\w+}/g, () => names[next++ % 2] ?? '');
        const target = path + ending + (search && `?${search}`);
        return { operation, target, ...rest };
      }),
  );

const giveUpMs = 15_000;

/** Sends one, on a connection of its own. Rejects when there is no answer. */
export function sendFuzzed(
  url: string,
  { method, target, headers = {}, body }: Sent,
): Promise<FuzzedAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path: target, headers, agent: false };
    const outgoing = send(options, (incoming) => {
      const { statusCode: status = 0, headers: came } = incoming;
      const isStream = came['content-type']?.startsWith('text/event-stream');
      const isWithoutBody = isStream || method === 'HEAD';
      const parts: Buffer[] = [];
      const end = () => {
        const text = isWithoutBody ? undefined : Buffer.concat(parts).toString();
        resolve({ status, headers: came, text });
        outgoing.destroy();
      };
      if (isStream) end();
      else incoming.on('data', (part: Buffer) => parts.push(part)).once('end', end);
    });
    outgoing.once('error', reject);
    outgoing.setTimeout(giveUpMs, () => outgoing.destroy(new Error('there is no answer')));
    outgoing.end(body);
  });
}
