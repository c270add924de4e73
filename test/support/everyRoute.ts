/** Asks a service for everything that docs/openapi.yaml describes, so that no new route is forgotten. */

import { charts } from '../../server/inspection/charts.js';
import { type Operation, operations, type Parameter, resolve } from './openapi.js';
import { visits } from './stage.js';

/** An operation that is asked, and what it has answered so far: streams go on. */
export interface Asked {
  operationId: string;
  target: string;
  accept: string;
  status: number;
  body: () => Buffer;
}

type Described = (typeof operations)[number];

/** The text of a parameter that takes a name of a room. */
const takesRoom = new Set(['room', 'name', 'prefix']);

/** Every target of an operation: with each combination of the values that its parameters have. */
export function targetsOf({ path, operation, shared }: Described, room: string): string[] {
  const parameters = [...shared, ...(operation.parameters ?? [])].map(resolved);
  let targets = [path];
  for (const parameter of parameters) {
    const values = valuesOf(parameter, room).map(encodeURIComponent);
    const add = (target: string, value: string) =>
      parameter.in === 'path'
        ? target.replace(`{${parameter.name}}`, value)
        : `${target}${target.includes('?') ? '&' : '?'}${parameter.name}=${value}`;
    const isOptional = parameter.in === 'query' && !parameter.required;
    targets = targets.flatMap((target) => [
      ...(isOptional ? [target] : []),
      ...values.map((value) => add(target, value)),
    ]);
  }
  return targets;
}

const resolved = (parameter: Parameter) =>
  parameter.$ref ? (resolve(parameter.$ref).value as Parameter) : parameter;

/** Values that find something. Throws for a parameter that is required and unknown here. */
function valuesOf({ name, in: place, required, schema = {} }: Parameter, room: string): string[] {
  if (place === 'header') return [];
  if (takesRoom.has(name)) return [room];
  if (schema.enum) return schema.enum.filter((value) => value !== null);
  if (name === 'id') return charts.map(({ id }) => id);
  if (name === 'server') return ['127.0.0.1:1'];
  if (name === 'hour') return ['0'];
  if (name === 'file') return ['index.html'];
  if (required) throw new Error(`what does the parameter "${name}" take? Add it to everyRoute.ts`);
  return [];
}

/** The types of the answers of an operation; the service chooses among several by `Accept`. */
function acceptsOf(operation: Operation): string[] {
  const { content = {} } = resolvedResponse(operation.responses['200'] ?? {});
  const types = Object.keys(content);
  return types.length > 1 ? types : ['*/*'];
}

const resolvedResponse = (response: { $ref?: string }) =>
  (response.$ref ? resolve(response.$ref).value : response) as { content?: object };

/** Routes ignore case and a slash at the end. */
function spellings(target: string): string[] {
  const [path = '', ...query] = target.split('?');
  return [target, [`${path.toUpperCase()}/`, ...query].join('?')];
}

/** Sends every described GET to a service, all at once, and keeps reading until the end of the test. */
export async function askEveryRoute(url: string, room: string): Promise<Asked[]> {
  const asks = operations
    .filter(({ method }) => method === 'get')
    .flatMap((described) =>
      targetsOf(described, room)
        .flatMap(spellings)
        .flatMap((target) =>
          acceptsOf(described.operation).map((accept) => ({ described, target, accept })),
        ),
    );
  return Promise.all(
    asks.map(async ({ described, target, accept }) => ({
      operationId: described.operation.operationId,
      target,
      accept,
      ...(await readOn(url + target, { accept })),
    })),
  );
}

/** Sends a GET, and reads its answer until the end of the test. */
export async function readOn(
  url: string,
  headers: Record<string, string>,
): Promise<Pick<Asked, 'status' | 'body'>> {
  const end = visits(new AbortController(), (it) => it.abort());
  const response = await fetch(url, { signal: end.signal, headers });
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of response.body ?? []) chunks.push(chunk as Uint8Array);
  })();
  reading.catch(() => undefined);
  // A stream does not end.
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) await reading;
  return { status: response.status, body: () => Buffer.concat(chunks) };
}

/** The operations that document this response. */
export const operationsWith = (response: string): string[] =>
  operations
    .filter(({ operation }) =>
      Object.values(operation.responses).some(({ $ref }) => $ref?.endsWith(`/${response}`)),
    )
    .map(({ operation }) => operation.operationId)
    .sort();
