/** Valid and invalid requests to every route, made from docs/openapi.yaml. */

import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import type { RouterInstance } from '@koa/router';
import fc from 'fast-check';
import { createApp } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import {
  operations as described,
  type Parameter,
  type Response,
  resolve,
} from '../../support/openapi.js';

/** An operation of the description, with references resolved. */
export interface Operation {
  /** Its `operationId`. */
  name: string;
  method: string;
  path: string;
  parameters: Parameter[];
  /** Statuses that it may answer. */
  statuses: ReadonlySet<string>;
  /** Content types of a successful answer. */
  types: readonly string[];
  takesBody: boolean;
  /** Whether it needs no token. */
  isOpen: boolean;
}

const resolved = (parameter: Parameter) =>
  parameter.$ref ? (resolve(parameter.$ref).value as Parameter) : parameter;

const typesOf = (response: { $ref?: string } = {}) => {
  const { content = {} } = (response.$ref ? resolve(response.$ref).value : response) as Response;
  return Object.keys(content);
};

/** Every operation of docs/openapi.yaml. */
export const operations: readonly Operation[] = described.map(
  ({ path, method, operation, shared }) => ({
    name: operation.operationId,
    method: method.toUpperCase(),
    path,
    parameters: [...shared, ...(operation.parameters ?? [])].map(resolved),
    statuses: new Set(Object.keys(operation.responses)),
    types: typesOf(operation.responses['200']),
    takesBody: operation.requestBody !== undefined,
    isOpen: operation.security?.length === 0,
  }),
);

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The path of an operation with a value for each parameter. */
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

/** The operation that the service runs for a request; undefined if none. */
export function meantBy({ method, target: url }: Sent): Operation | undefined {
  const { path } = app.createContext({ url, headers: {} } as IncomingMessage, {} as never);
  const route = routeOf(method, path);
  return route && operationByRoute.get(route);
}

/** A request. Its target need not be valid in a URL. */
export interface Sent {
  method: string;
  target: string;
  headers?: Record<string, string>;
  body?: string | undefined;
}

/** A request and the operation that it was made from. */
export interface FuzzedRequest extends Sent {
  operation: Operation;
  headers: Record<string, string>;
}

/** An answer. Of a stream only the head. */
export interface FuzzedAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Undefined for a stream and for the answer to HEAD. */
  text: string | undefined;
}

/** Valid values for one service. */
export interface Known {
  /** Values by the name of the parameter that takes them. */
  parameters: Readonly<Record<string, readonly string[]>>;
  /** The token of viewers; any text if none is required. */
  viewerToken: string;
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
  '../../../package.json',
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

/** Encoded for a target, or unencoded where a request line allows it. */
const encoded = (part: fc.Arbitrary<string>) =>
  fc.tuple(part, fc.boolean()).map(([value, isEncoded]) => {
    if (isEncoded) return encodeURIComponent(wellFormed(value));
    return value.replace(/[^\u0021-\u00ff]/gu, (each) => encodeURIComponent(wellFormed(each)));
  });

/** Each part of a request is valid most times, independently of the others. */
const orSpoilt = <T>(valid: fc.Arbitrary<T>, spoilt: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 6, arbitrary: valid }, { weight: 1, arbitrary: spoilt });

/** A valid value of a parameter. */
function fitting({ name, schema = {} }: Parameter, { parameters }: Known): fc.Arbitrary<string> {
  const { type, minimum: min = 0, maximum: max = 65_535 } = schema;
  const values = parameters[name] ?? schema.enum;
  if (values) return fc.constantFrom(...values);
  return type === 'integer' ? fc.integer({ min, max }).map(String) : text;
}

const queryParameters = ({ parameters }: Operation) =>
  parameters.filter((parameter) => parameter.in === 'query');

const search = (pairs: fc.Arbitrary<string[][]>) =>
  pairs.map((all) => all.map((each) => each.join('=')).join('&'));

const validQuery = (operation: Operation, known: Known) => {
  const pairs = queryParameters(operation).map((parameter) => {
    const value = fitting(parameter, known).map((it) => encodeURIComponent(wellFormed(it)));
    const pair = value.map((it) => [[parameter.name, it]]);
    if (parameter.required) return pair;
    return fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: pair });
  });
  return search(fc.tuple(...pairs).map((all) => all.flat()));
};

const wordOf = ({ schema }: Parameter) =>
  fc.oneof(text, ...(schema?.enum ? [fc.constantFrom(...schema.enum)] : []));

const spoiltQuery = (operation: Operation) => {
  const known = queryParameters(operation);
  const name = fc.oneof(fc.constantFrom('token', '__proto__', ...known.map((it) => it.name)), text);
  const pairs = known.map((parameter) =>
    fc.tuple(fc.constant(parameter.name), encoded(wordOf(parameter))),
  );
  const pair = fc.oneof(fc.tuple(encoded(name), encoded(text)), ...pairs);
  return search(fc.array(pair, { maxLength: 4 }));
};

/** The path of an operation with values of its parameters. */
const pathOf = ({ path, parameters }: Operation, known: Known) => {
  const places = parameters
    .filter((parameter) => parameter.in === 'path')
    .map((parameter) => {
      const value = fitting(parameter, known).map((it) => encodeURIComponent(wellFormed(it)));
      return fc.tuple(fc.constant(`{${parameter.name}}`), orSpoilt(value, encoded(text)));
    });
  return fc
    .tuple(...places)
    .map((all) => all.reduce((it, [place, value]) => it.replace(place, () => value), path));
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
  'X-Forwarded-Host',
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
/** Without characters that Node.js does not send in a header. */
const sendable = (value: string) => value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '?');
const validHeaders = ({ types, takesBody, parameters }: Operation, known: Known) => {
  const named = parameters.filter((parameter) => parameter.in === 'header');
  const optional = Object.fromEntries(
    named.map((it) => [it.name, fitting(it, known).map((value) => sendable(`${value}`))]),
  );
  const all = { ...optional, Accept: fc.constantFrom('*/*', ...types) };
  if (!takesBody) return fc.record(all, { requiredKeys: [], noNullPrototype: true });
  const typed = { ...all, 'Content-Type': fc.constant('application/json') };
  return fc.record(typed, { requiredKeys: ['Content-Type'], noNullPrototype: true });
};
const spoiltHeaders = fc.dictionary(
  fc.constantFrom(...headerNames),
  fc.oneof(
    fc.constantFrom(...headerValues),
    fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((c) => String.fromCharCode(c)) }),
  ),
  { maxKeys: 4, noNullPrototype: true },
);

const room = fc.oneof(text, fc.constant('x'.repeat(16_384)));
const delta = fc.record({ room, add: fc.integer({ min: 1, max: 1000 }) });
const closing = fc.record({ room, add: fc.integer({ min: -1000, max: -1 }) });
const update = fc.record({ room, update: fc.base64String({ maxLength: 40 }) });
const both = fc.tuple(delta, update).map(([one, other]) => ({ ...one, ...other }));
const entry = fc.oneof(delta, closing, update, both);
const bad = fc.oneof(
  fc.record({
    room: fc.oneof(room, fc.constantFrom('x'.repeat(16_385), null, 1, ['r'])),
    add: fc.constantFrom(0, 1001, -1001, 0.5, 1e300, '1', null, true, [1], {}),
  }),
  fc.record({ room, update: fc.constantFrom('=', 'AAA', 'A-_A', 'AA==A', ' ', 1, null, []) }),
  fc.record({ room }),
  fc.record({ add: fc.constant(1) }),
  fc.constantFrom(null, 1, 'r', true, [], {}),
);
const asJson = (value: fc.Arbitrary<unknown>) => value.map((it) => JSON.stringify(it));

const validPost = asJson(fc.oneof(entry, fc.array(entry)));
const spoiltPost = fc.oneof(
  text,
  fc.json(),
  asJson(bad),
  asJson(fc.tuple(fc.array(entry, { maxLength: 3 }), bad).map(([all, one]) => [...all, one])),
);
/** Valid and invalid bodies of posts, equally often. */
export const posts = fc.oneof(validPost, spoiltPost);

const validBody = ({ name }: Operation, { viewerToken }: Known): fc.Arbitrary<string> =>
  name === 'postDeltas' ? validPost : fc.constant(JSON.stringify({ token: viewerToken }));
const spoiltBody = fc.oneof(
  fc.constant(undefined),
  validPost,
  spoiltPost,
  text.map((token) => JSON.stringify({ token })),
);

/** Any request to one of these operations. Most parts of it are valid. */
export const requestsTo = (
  operations: readonly Operation[],
  known: Known,
): fc.Arbitrary<FuzzedRequest> =>
  fc.constantFrom(...operations).chain((operation) =>
    fc
      .record({
        method: orSpoilt(
          fc.constant(operation.method),
          fc.constantFrom(...methods, 'HEAD', 'OPTIONS', 'PURGE'),
        ),
        path: pathOf(operation, known),
        query: orSpoilt(validQuery(operation, known), spoiltQuery(operation)),
        ending: orSpoilt(fc.constant(''), fc.constantFrom('/', '//', '/..', '%2f', ';x', '.json')),
        headers: orSpoilt<Record<string, string>>(validHeaders(operation, known), spoiltHeaders),
        body: orSpoilt<string | undefined>(
          operation.takesBody ? validBody(operation, known) : fc.constant(undefined),
          spoiltBody,
        ),
      })
      .map(({ path, ending, query, ...rest }) => {
        const target = path + ending + (query && `?${query}`);
        return { operation, target, ...rest };
      }),
  );

const giveUpMs = 60_000;

/** Node sends no length with the body of a GET, which would make the body a second request. */
function withLength(headers: Record<string, string>, body: string | undefined) {
  const isFramed = Object.keys(headers).some((name) => /^(content-length|transfer-)/i.test(name));
  if (body === undefined || isFramed) return headers;
  return { ...headers, 'Content-Length': `${Buffer.byteLength(body)}` };
}

/** Sends a request on a new connection. Rejects without an answer. */
export function sendFuzzed(
  url: string,
  { method, target, headers = {}, body }: Sent,
): Promise<FuzzedAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const framed = withLength(headers, body);
    const options = { hostname, port, method, path: target, headers: framed, agent: false };
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
