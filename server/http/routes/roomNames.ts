import type { Context } from 'koa';
import type { RoomName } from '../../../machines/ports.js';

/** Rooms that a request may mean, most likely first. */
export type RoomNames = [RoomName, ...RoomName[]];

/**
 * The rooms that a name in a path may mean: the raw name, because rooms have raw names, and the decoded
 * name, because a room with a slash or percent sign in its name must be encoded in a path.
 */
export function namesOf(raw: string): RoomNames {
  try {
    const decoded = decodeURIComponent(raw);
    return decoded === raw ? [raw] : [raw, decoded];
  } catch {
    return [raw];
  }
}

/** A request target may start with scheme and host (RFC 9112, section 3.2.2). */
const beforeName = /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?\/api\/rooms\//i;

/** The rooms that `/api/rooms/<name><rest>` may mean. Reads the request line, because the router decodes names. */
export function namesInPath(ctx: Context, rest: string): RoomNames {
  const [path = ''] = (ctx.req.url ?? '').split('?', 1);
  return namesOf(path.slice(0, path.length - rest.length).replace(beforeName, ''));
}
