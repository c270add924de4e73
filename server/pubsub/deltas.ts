import { z } from 'zod';
import { apiError } from '../http/errors.js';

/** Longer names do not fit into the head of a WebSocket request. */
const maxNameLength = 16_384;
const maxAdd = 1000;
const room = z.string().max(maxNameLength);

/** One connection opened or closed, as a pub-sub server posts it: docs/protocol.md. */
const postedDelta = z.object({
  room,
  add: z
    .int()
    .min(-maxAdd)
    .max(maxAdd)
    .refine((add) => add !== 0, 'must not be 0'),
});

/** One update of a document, as a pub-sub server posts it that was told `updates: true`. */
const postedUpdate = z.object({ room, update: z.base64() });

const posted = z.union([postedDelta, postedUpdate]);

export type PostedDelta = z.infer<typeof postedDelta>;

/** An update of a room, base64. */
export type PostedUpdate = z.infer<typeof postedUpdate>;

/** What one callback brought. */
export interface Posted {
  deltas: PostedDelta[];
  updates: PostedUpdate[];
}

/**
 * Reads one delta or update, or an array of them. Throws `invalid_json` or `invalid_delta`: none is
 * taken then.
 */
export function parsePosted(body: string): Posted {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw apiError('invalid_json');
  }
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  if (areDeltas(entries)) return { deltas: entries, updates: [] };
  const deltas: PostedDelta[] = [];
  const updates: PostedUpdate[] = [];
  for (const [index, entry] of entries.entries()) {
    const parsed = posted.safeParse(entry);
    // At the first one: to say what is wrong with half a million would take seconds.
    if (!parsed.success) throw apiError('invalid_delta', whyNot(index, entry));
    if ('add' in parsed.data) deltas.push(parsed.data);
    else updates.push(parsed.data);
  }
  return { deltas, updates };
}

function areDeltas(entries: unknown[]): entries is PostedDelta[] {
  for (const entry of entries) if (!isDelta(entry)) return false;
  return true;
}

/**
 * The same as `postedDelta`, by hand, for nearly all that is ever posted: in a batch of 100 a schema
 * would take longer than the JSON and the counting together.
 */
function isDelta(entry: unknown): entry is PostedDelta {
  if (typeof entry !== 'object' || entry === null) return false;
  const { room: name, add } = entry as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || name.length > maxNameLength) return false;
  return Number.isInteger(add) && add !== 0 && Math.abs(add as number) <= maxAdd;
}

/** What is wrong with an entry that is no update either; the union alone would not say. */
function whyNot(index: number, entry: unknown): string {
  const [issue] = postedDelta.safeParse(entry).error?.issues ?? [];
  return issue ? `${[index, ...issue.path].join('.')}: ${issue.message}` : 'no delta';
}
