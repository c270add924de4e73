import type { Bench } from './bench.js';
import { Skip } from './verdict.js';

/** Each becomes the end of a unique name. */
const prefixed = ['a%20b', '100%', 'a/b', 'a=b', '%41', '%F0%9F%98%80', 'a+b', "it's"];
const prefixedAnywhere = ['b c', 'd/é', '😀'];
const literal = ['__proto__', 'constructor'];

/** Rooms with names that are easy to get wrong. Throws a `Skip` if the client may encode them. */
export function roomsOf(bench: Bench): string[] {
  const { names } = bench.connections.opener;
  if (names === 'plain') throw new Skip('a command may encode the name of the room');
  const own = (labels: readonly string[]) => labels.map((label) => bench.room(label));
  if (names === 'any') return [...own([...prefixed, ...prefixedAnywhere]), ...literal];
  return [...own(prefixed), ...literal, '', `/${bench.room('lead')}`];
}
