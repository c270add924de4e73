import type { Context } from 'koa';
import type { RoomName } from '../../../machines/ports.js';

/** Rooms that a request may mean, the likeliest first. */
export type RoomNames = [RoomName, ...RoomName[]];

/**
 * The rooms that a name in a path may mean: the name as it stands there, since that is how rooms are
 * keyed, and the name decoded, since a key with a slash or a percent sign has to be encoded to stand there.
 */
export function namesOf(raw: string): RoomNames {
  try {
    const decoded = decodeURIComponent(raw);
    return decoded === raw ? [raw] : [raw, decoded];
  } catch {
    return [raw];
  }
}

/** A path may come with scheme and host before it: RFC 9112, section 3.2.2. */
const beforeName = /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?\/api\/rooms\//i;

/** The rooms that `/api/rooms/<name><rest>` may mean, read from the request line: a router would decode it. */
export function namesInPath(ctx: Context, rest: string): RoomNames {
  const [path = ''] = (ctx.req.url ?? '').split('?', 1);
  return namesOf(path.slice(0, path.length - rest.length).replace(beforeName, ''));
}
