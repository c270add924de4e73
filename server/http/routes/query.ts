import type { Context } from 'koa';
import type { RoomName, ServerId } from '../../../machines/ports.js';
import { apiError } from '../errors.js';

/** One query parameter, or undefined. Throws `invalid_parameter` if it is given twice. */
export function parameter(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  if (Array.isArray(value))
    throw apiError('invalid_parameter', `"${name}" must be given only once`);
  return value;
}

/** A query parameter that is a whole number within bounds. */
export function numberParameter(
  ctx: Context,
  name: string,
  { min, max, otherwise }: { min: number; max: number; otherwise: number },
): number {
  const text = parameter(ctx, name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw apiError('invalid_parameter', `"${name}" must be a whole number from ${min} to ${max}`);
}

/** A query parameter that is one of some words; the first is the default. */
export function wordParameter<Word extends string>(
  ctx: Context,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const value = parameter(ctx, name) ?? words[0];
  const word = words.find((known) => known === value);
  if (word !== undefined) return word;
  throw apiError('invalid_parameter', `"${name}" must be one of ${words.join(', ')}`);
}

/** `?room=<name>`: a raw room name. Proxies do not normalize queries. The name may be empty. */
export function roomParameter(ctx: Context): RoomName {
  const room = parameter(ctx, 'room');
  if (room !== undefined) return room;
  throw apiError('invalid_parameter', '"room" must be the percent-encoded name of the room');
}

/** `?server=<id>`: a server. */
export function serverParameter(ctx: Context): ServerId {
  const server = parameter(ctx, 'server');
  if (server !== undefined) return server as ServerId;
  throw apiError('invalid_parameter', '"server" must be the id of a server');
}

/** Each room costs a look-up, in the counts of every server at the worst. */
const maxRooms = 200;

/** `?room=<name>&room=...`: 1 to 200 raw room names. */
export function roomsParameter({ query }: Context): RoomName[] {
  const rooms = [query.room ?? []].flat();
  if (rooms.length >= 1 && rooms.length <= maxRooms) return rooms as RoomName[];
  throw apiError('invalid_parameter', `"room" must be given 1 to ${maxRooms} times`);
}
