/** What instances that do not lead leave for the leader in Redis: entries of JSON text. */

import { z } from 'zod';
import type { Term } from '../../machines/ports.js';
import { isAddress, parseServerId } from '../addresses.js';
import { parseJson } from '../parseJson.js';
import { type TokenClaims, unknownAddress } from '../pubsub/eventTokens.js';
import type { StartupQuery } from '../pubsub/startupQuery.js';
import { serverIdShape } from '../serverIdShape.js';

/** What another instance has seen. */
export type InboxEntry =
  /** A post with a valid token that the leader did not get: it is lost. */
  | { kind: 'post'; claims: TokenClaims }
  /** A post without a valid token, from this address. */
  | { kind: 'stranger'; address: string }
  /** A start-up query or a renewal that was answered. `heededIn`: the leader of this term has heeded it already. */
  | { kind: 'query'; query: InboxQuery; heededIn?: Term | undefined };

/** A query without what only its answer needs. */
export type InboxQuery = Omit<StartupQuery, 'localAddress' | 'postsUrl'>;

/** Longer entries are neither written nor read. */
export const maxEntryLength = 8192;
const maxTextLength = 255;
const maxUrlLength = 2048;
const maxAddresses = 32;

const text = z.string().max(maxTextLength);
const address = text.refine((value) => value === unknownAddress || isAddress(value));
const server = text.pipe(serverIdShape);
const term = z.int().min(1).optional();

const claims = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('server'),
    server,
    epoch: z.int().min(0),
    fromStartup: z.boolean(),
    term,
  }),
  z.object({ kind: z.literal('content'), server, term }),
  z.object({ kind: z.literal('address'), address, term }),
]);

/** The shape of a query that another instance passes on. */
export const queryShape = z.object({
  address,
  port: z.int().min(1).max(65_535).optional(),
  isForwarded: z.boolean(),
  isMisnamed: z.boolean().optional(),
  run: text.optional(),
  renewal: z
    .object({ isActive: z.boolean(), eventsUrl: z.string().max(maxUrlLength).optional() })
    .optional(),
  advertised: z
    .object({ host: text, addresses: z.array(address).max(maxAddresses) })
    .refine(({ host }) => isHost(host))
    .optional(),
});

const entry = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('post'), claims }),
  z.object({ kind: z.literal('stranger'), address }),
  z.object({ kind: z.literal('query'), query: queryShape, heededIn: term }),
]);

/** The text of an entry; undefined: it would be too long. */
export function inboxText(written: InboxEntry): string | undefined {
  const json = JSON.stringify(written);
  return json.length <= maxEntryLength ? json : undefined;
}

/** Reads an entry; undefined: this version does not know such an entry. */
export function parseInboxEntry(json: string): InboxEntry | undefined {
  if (json.length > maxEntryLength) return undefined;
  // The parsed numbers have no brand.
  return entry.safeParse(parseJson(json)).data as InboxEntry | undefined;
}

function isHost(host: string): boolean {
  try {
    parseServerId(`${host.includes(':') ? `[${host}]` : host}:1`);
    return true;
  } catch {
    return false;
  }
}
