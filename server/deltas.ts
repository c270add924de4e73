import { z } from 'zod';
import { apiError } from './errors.js';

/** One connection opened or closed, as a pub-sub server posts it: docs/protocol.md. */
const postedDelta = z.object({
  /** Longer names do not fit into the head of a WebSocket request. */
  room: z.string().max(16_384),
  add: z
    .int()
    .min(-1000)
    .max(1000)
    .refine((add) => add !== 0, 'must not be 0'),
});
const postedDeltas = z.array(postedDelta);

/** A delta before it is known whose it is. */
export type PostedDelta = z.infer<typeof postedDelta>;

/** Reads one delta or an array of them. Throws `invalid_json` or `invalid_delta`: none is taken then. */
export function parseDeltas(body: string): PostedDelta[] {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw apiError('invalid_json');
  }
  const parsed = postedDeltas.safeParse(Array.isArray(value) ? value : [value]);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw apiError('invalid_delta', `${issue?.path.join('.')}: ${issue?.message}`);
}
