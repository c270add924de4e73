import { z } from 'zod';

/** Longest name of a room in a post. Longer ones do not fit into the headers of a WebSocket request. */
export const maxNameLength = 16_384;
const maxAdd = 1000;
const room = z.string().max(maxNameLength);

/** A change of a room's connections, as pub-sub servers post it: docs/protocol.md. */
const postedDelta = z.object({
  room,
  add: z
    .int()
    .min(-maxAdd)
    .max(maxAdd)
    .refine((add) => add !== 0, 'must not be 0'),
});

/** An update of a document, as servers post it that were told `updates: true`. */
const postedUpdate = z.object({ room, update: z.base64() });

const posted = z.union([postedDelta, postedUpdate]);

export type PostedDelta = z.infer<typeof postedDelta>;

/** An update of a room's document, in base64. */
export type PostedUpdate = z.infer<typeof postedUpdate>;

/** The content of one post. */
export interface Posted {
  deltas: PostedDelta[];
  updates: PostedUpdate[];
}

/** A post that cannot be read. */
export class InvalidPost extends Error {
  override readonly name = 'InvalidPost';
  readonly code: 'invalid_json' | 'invalid_delta';

  constructor(code: InvalidPost['code'], message = '') {
    super(message);
    this.code = code;
  }
}

/** Parses one delta or update, or an array of them. Throws `InvalidPost`. */
export function parsePosted(body: string): Posted {
  const entries = entriesOf(body);
  if (areDeltas(entries)) return { deltas: entries, updates: [] };
  const deltas: PostedDelta[] = [];
  const updates: PostedUpdate[] = [];
  for (const [index, entry] of entries.entries()) {
    const parsed = posted.safeParse(entry);
    // Stop at the first error: describing half a million would take seconds.
    if (!parsed.success) throw new InvalidPost('invalid_delta', whyNot(index, entry));
    if ('add' in parsed.data) deltas.push(parsed.data);
    else updates.push(parsed.data);
  }
  return { deltas, updates };
}

/** The entries of a post: a JSON array, or one value alone. Throws `InvalidPost`. */
export function entriesOf(body: string): unknown[] {
  try {
    const value: unknown = JSON.parse(body);
    return Array.isArray(value) ? value : [value];
  } catch {
    throw new InvalidPost('invalid_json');
  }
}

function areDeltas(entries: unknown[]): entries is PostedDelta[] {
  for (const entry of entries) if (!isDelta(entry)) return false;
  return true;
}

/** The same check as `postedDelta`, by hand: in a batch of 100, the schema takes longer than parsing and counting. */
function isDelta(entry: unknown): entry is PostedDelta {
  if (typeof entry !== 'object' || entry === null) return false;
  const { room: name, add } = entry as Partial<Record<string, unknown>>;
  if (typeof name !== 'string' || name.length > maxNameLength) return false;
  return Number.isInteger(add) && add !== 0 && Math.abs(add as number) <= maxAdd;
}

/** What is wrong with an entry that is neither delta nor update. The error of the union does not tell. */
function whyNot(index: number, entry: unknown): string {
  const [issue] = postedDelta.safeParse(entry).error?.issues ?? [];
  return issue ? `${[index, ...issue.path].join('.')}: ${issue.message}` : 'no delta';
}
