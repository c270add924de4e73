import type { Context } from 'koa';
import type { RoomName } from '../../machines/ports.js';

/**
 * The rooms that a name in a path may mean: the name as it stands there, since that is how rooms are
 * keyed, and the name decoded, since a key with a slash or a percent sign has to be encoded to stand there.
 */
export function namesOf(raw: string): [RoomName, ...RoomName[]] {
  try {
    const decoded = decodeURIComponent(raw);
    return decoded === raw ? [raw] : [raw, decoded];
  } catch {
    return [raw];
  }
}

/** A path may come with scheme and host before it: RFC 9112, section 3.2.2. */
const beforeName = /^(?:[a-z][a-z\d+.-]*:\/\/[^/]*)?\/api\/rooms\//i;

/** The name in `/api/rooms/<name><rest>` as the request line has it: a router would decode it. */
export function rawNameIn(ctx: Context, rest: string): string {
  const [path = ''] = (ctx.req.url ?? '').split('?', 1);
  return path.slice(0, path.length - rest.length).replace(beforeName, '');
}
