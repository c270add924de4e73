/** Zod schemas for the values of variables, and the functions that parse them. */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ServerId } from '../../machines/ports.js';
import { hostAndPort, isAddress, normalizeHost, parseServerId, toServerId } from '../addresses.js';
import { parseUrl } from '../parseUrl.js';
import { parseRedisTarget } from '../redis/redisTarget.js';

const byteUnits: Record<string, number> = { '': 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3 };

/** A schema from a function that throws an Error with the reason. */
export function parsed<Output>(parse: (text: string) => Output) {
  return z.string().transform((text, context) => {
    try {
      return parse(text.trim());
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

/** One of the choices, case-sensitive. */
export function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return parsed((text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}`);
    return choice;
  });
}

/** `true` or `false`. */
export function flag() {
  return parsed((text) => {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new Error('must be true or false');
  });
}

/** A whole number within limits. The unit only appears in the message. */
export function integer(min: number, max: number, unit?: string) {
  return parsed((text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Error(`must be a whole number ${unit ? `of ${unit} ` : ''}from ${min} to ${max}`);
  });
}

const unitsMs: Record<string, number> = { s: 1000, m: 60_000 };
const longestMs = 24 * 60 * 60_000;

/** How long a scrape counts as a viewer, in milliseconds. `true`: a minute. `false`: not at all, 0. */
export function parseKeepActive(text: string): number {
  if (text === 'false') return 0;
  const [, digits, unit = ''] = /^(\d{1,5})([sm])$/.exec(text === 'true' ? '1m' : text) ?? [];
  const ms = Number(digits) * (unitsMs[unit] ?? Number.NaN);
  if (ms > 0 && ms <= longestMs) return ms;
  throw new Error('must be true, false, or a time like 90s or 5m, up to 1440m');
}

/** A size of 1 byte to `max`: a number of bytes, or of KiB, MiB, GiB. */
export function bytes(max = '1 GiB') {
  return parsed((text) => {
    const value = sizeIn(text);
    if (value >= 1 && value <= sizeIn(max)) return value;
    throw new Error(`must be a whole number of bytes, KiB, MiB or GiB, from 1 to ${max}`);
  });
}

/** Bytes; NaN if the text is not a size. */
function sizeIn(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,15}) ?([kmg]ib)?$/i.exec(text) ?? [];
  return Number(digits) * (byteUnits[unit.toLowerCase()] ?? Number.NaN);
}

/** `host:port,host:port`, without duplicates. Throws an Error that names every bad entry. */
export function parseServerIds(text: string): ServerId[] {
  return [...new Set(parseList(text, 'host:port,host:port', parseServerId))];
}

/** A host name whose A and AAAA records are pub-sub servers, all at one port. */
export interface DnsName {
  name: string;
  port?: number;
}

/** `name,name:port`. Throws an Error that names every bad entry. */
export function parseDnsNames(text: string): DnsName[] {
  return parseList(text, 'name,name:port', (entry) => {
    const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    // The same checks as for a server, except that the port is optional.
    const { host, port: given } = hostAndPort(toServerId(name, Number(port ?? 1)));
    if (isAddress(host))
      throw new Error(`"${entry}" is an address, not a name. Put addresses into PUBSUB_SERVERS`);
    return { name: host, ...(port !== undefined && { port: given }) };
  });
}

/** `address:port`, or an address with the DNS port. Throws an Error that says what is wrong. */
export function parseDnsServer(text: string): string {
  const server = isAddress(text) ? toServerId(text, 53) : parseServerId(text);
  if (isAddress(hostAndPort(server).host)) return server;
  throw new Error('must be an address and a port, like 127.0.0.1:8600');
}

/** Parses a comma-separated list. Throws an Error with all problems. */
function parseList<Entry>(text: string, format: string, parse: (entry: string) => Entry): Entry[] {
  const entries: Entry[] = [];
  const problems: string[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue;
    try {
      entries.push(parse(entry));
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new Error(`must be ${format}; ${problems.join('; ')}`);
  return entries;
}

/** The name or ARN of a DynamoDB table. */
export function parseTable(text: string): string {
  if (/^(arn:[\w-]+:dynamodb:[\w-]+:\d{12}:table\/)?[\w.-]{3,255}$/.test(text)) return text;
  throw new Error(
    'must be the name of a DynamoDB table (3 to 255 of a-z, A-Z, 0-9, _, -, .) or its ARN',
  );
}

/** An http or https URL to which paths can be appended, without a trailing slash. */
export function parsePublicUrl(text: string): string {
  const url = parseUrl(text);
  // Paths are appended to it. A query or fragment, even an empty one, would contain them.
  const plain = url && !url.username && !url.password && !/[?#@\s]/.test(text);
  if (!plain || !/^https?:\/\/[^/]/i.test(text)) {
    throw new Error('must be an http or https URL without credentials, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}

const isPlainHttp = (url: URL) => /^https?:$/.test(url.protocol) && !url.username && !url.password;

/** An http or https URL that gets webhooks. Errors contain no part of the text. */
export function parseWebhookUrl(text: string): string {
  const url = parseUrl(text);
  if (url && isPlainHttp(url)) return url.href;
  throw new Error('must be an http or https URL without credentials');
}

/** The base URL of an OpenTelemetry collector. */
export function parseEndpoint(text: string): string {
  const url = parseUrl(text);
  if (url && isPlainHttp(url) && !url.search) return url.href;
  throw new Error(
    'must be an http or https URL without credentials and query; send credentials by OTEL_EXPORTER_OTLP_HEADERS',
  );
}

const minSecretLength = 16;

/** One secret, or two during a rotation. Errors contain no part of the text. */
export function parseSecrets(text: string): [string, ...string[]] {
  const [first = '', ...others] = text.split(',').map((secret) => secret.trim());
  const secrets: [string, ...string[]] = [first, ...others];
  if (secrets.length <= 2 && secrets.every((secret) => secret.length >= minSecretLength))
    return secrets;
  throw new Error(`must be one or two secrets of at least ${minSecretLength} characters: new,old`);
}

/** A secret. Errors contain no part of the text. */
export function parseSecret(text: string): string {
  if (text.length >= minSecretLength) return text;
  throw new Error(`must have at least ${minSecretLength} characters`);
}

/** The certificates in a file, in PEM. */
export function readCertificates(path: string): string {
  const pem = readFileSync(path, 'utf8');
  try {
    new X509Certificate(pem);
  } catch {
    throw new Error('must be a file with certificates in PEM');
  }
  return pem;
}

/** A Redis URL, see `parseRedisTarget`. Errors contain no part of the text. */
export function parseRedisUrl(text: string): string {
  const { kind } = parseRedisTarget(text);
  return kind === 'single' ? new URL(text).href : text;
}

/** A part of the names of Redis channels. */
export function parseChannelPart(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the refused characters.
  if (text.length <= 200 && !/[\x00-\x1f\x7f]/.test(text)) return text;
  throw new Error('must be at most 200 characters, none of them a control character');
}

/** Origins of pages (RFC 6454), comma-separated; `*` alone means any. */
export function parseOrigins(text: string): string[] {
  const origins = text.split(',').map((origin) => origin.trim());
  for (const origin of origins) {
    const isOrigin = parseUrl(origin)?.origin === origin;
    if (!isOrigin && origin !== '*')
      throw new Error(`"${origin}" is not an origin like https://a.example`);
  }
  return origins;
}

/** Headers that mean something else, here or in HTTP. */
const takenHeaders =
  /^(host|cookie|authorization|origin|referer|connection|content-.*|transfer-encoding|accept.*|sec-.*|via|forwarded|x-forwarded-(for|host|proto|port)|instance-signature|last-event-id)$/;

/** The name of a header (RFC 9110, section 5.1) that can name a person, in lower case. */
export function parseUserHeader(text: string): string {
  const name = text.toLowerCase();
  if (/^[a-z][a-z\d-]*$/.test(name) && !takenHeaders.test(name)) return name;
  throw new Error('must be the name of a header like X-Forwarded-User');
}

/** A path on the host of the page, or an http or https URL. No other scheme: the page links to it. */
export function parseSignOutUrl(text: string): string {
  const isPath = /^\/(?![\\/])[\x21-\x7e]*$/.test(text);
  if (isPath || (/^https?:\/\/[^/]/i.test(text) && parseUrl(text))) return text;
  throw new Error('must be a path like /oauth2/sign_out, or an http or https URL');
}

/** Host names without ports, comma-separated; `*` means any. */
export function parseHostNames(text: string): string[] {
  return parseList(text, 'a.example,b.example', (entry) =>
    entry === '*' ? entry : normalizeHost(entry).replace(/\.$/, ''),
  );
}
