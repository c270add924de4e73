/** The description of the API in docs/openapi.yaml, and whether answers are as it says. */

import { readFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

/** A parameter of an operation, or where it is described. */
export interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  schema?: { enum?: string[]; type?: string; minimum?: number; maximum?: number };
}

export interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: object;
  responses: Record<string, { $ref?: string }>;
  security?: object[];
}

export interface Response {
  headers?: Record<string, { $ref?: string; schema: object }>;
  content?: Record<string, { schema: object }>;
}

type PathItem = Record<string, Operation> & { parameters?: Parameter[] };

interface Description {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, PathItem>;
  components: {
    schemas: { Error: { properties: { error: { properties: { code: { enum: string[] } } } } } };
  };
}

/** docs/openapi.yaml as it is written. */
export const text = await readFile(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8');
export const description = parse(text) as Description;

const methods = ['get', 'post', 'put', 'patch', 'delete'];

/** Every operation; `shared`: the parameters of its path. */
export const operations = Object.entries(description.paths).flatMap(([path, item]) =>
  methods.flatMap((method) => {
    const operation = item[method];
    return operation ? [{ path, method, operation, shared: item.parameters ?? [] }] : [];
  }),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
(addFormats as unknown as (to: Ajv2020) => void)(ajv);
/** An annotation in itself (JSON Schema Validation, section 8.3); RFC 4648, section 4, for what it says here. */
const base64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/;
ajv.removeKeyword('contentEncoding').addKeyword({
  keyword: 'contentEncoding',
  type: 'string',
  validate: (encoding: string, value: string) => encoding === 'base64' && base64.test(value),
});
ajv.addSchema({ ...description, $id: 'openapi' });
const compiled = new Map<string, ValidateFunction>();

/** The validator of what a pointer into the description names. */
export function validatorOf(pointer: string): ValidateFunction {
  const known = compiled.get(pointer) ?? ajv.compile({ $ref: `openapi${encodeURI(pointer)}` });
  compiled.set(pointer, known);
  return known;
}

/** A key as it stands in a pointer. */
export const escaped = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** What a pointer names; references are followed. Throws when there is nothing. */
export function resolve(pointer: string): { pointer: string; value: unknown } {
  let value: unknown = description;
  for (const part of pointer.split('/').slice(1)) {
    value = (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
    if (value === undefined) throw new Error(`${pointer} is not there`);
  }
  const { $ref } = value as { $ref?: string };
  return $ref === undefined ? { pointer, value } : resolve($ref);
}

/** An answer that came; `body` is undefined where there can be none. */
export interface Seen {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string | undefined;
}

/** Holds a real answer against the description; tells which answer of which operation it is. */
export function check(path: string, method: string, { status, headers, body }: Seen): string {
  const { operationId, responses } = operations.find(
    (each) => each.path === path && each.method === method,
  )?.operation ?? { operationId: 'none', responses: {} };
  const key = String(status) in responses ? String(status) : 'default';
  const at = resolve(`#/paths/${escaped(path)}/${method}/responses/${key}`);
  const response = at.value as Response;
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  const seen = `${operationId} ${key} ${type}`;
  checkHeaders(at.pointer, response, headers);
  if (body === '' && !response.content) return seen;
  expect([operationId, status, Object.keys(response.content ?? {})]).toEqual([
    operationId,
    status,
    expect.arrayContaining([type]),
  ]);
  if (type !== 'application/json' || body === undefined) return seen;
  const validate = validatorOf(`${at.pointer}/content/${escaped(type)}/schema`);
  validate(JSON.parse(body));
  expect([operationId, status, validate.errors ?? []]).toEqual([operationId, status, []]);
  return seen;
}

const ours = [
  'Link',
  'Age',
  'X-Stale',
  'X-Discovery-Failed',
  'Retry-After',
  'WWW-Authenticate',
  'Vary',
  'Set-Cookie',
];

/** Every header of ours that came is described, and has a value as described. */
function checkHeaders(pointer: string, { headers = {} }: Response, came: Seen['headers']): void {
  for (const name of ours) {
    const value = came[name.toLowerCase()];
    if (value === undefined) continue;
    expect([name, Object.keys(headers)]).toEqual([name, expect.arrayContaining([name])]);
    const { pointer: at, value: header } = resolve(`${pointer}/headers/${name}`);
    const { type } = (header as { schema: { type?: string } }).schema;
    const validate = validatorOf(`${at}/schema`);
    for (const each of [value].flat()) {
      validate(type === 'integer' ? Number(each) : each);
      expect([name, each, validate.errors ?? []]).toEqual([name, each, []]);
    }
  }
}
