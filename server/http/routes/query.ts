import type { Context } from 'koa';
import type { RoomName } from '../../../machines/ports.js';
import { apiError } from '../errors.js';

/** One parameter of the query, or undefined; given twice is an error. */
export function parameter(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  if (Array.isArray(value)) throw apiError('invalid_parameter', `"${name}" is given twice`);
  return value;
}

/** A whole number within bounds. */
export function numberParameter(
  ctx: Context,
  name: string,
  { min, max, otherwise }: { min: number; max: number; otherwise: number },
): number {
  const text = parameter(ctx, name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw apiError('invalid_parameter', `"${name}" is a whole number from ${min} to ${max}`);
}

/** One of some words. */
export function wordParameter<Word extends string>(
  ctx: Context,
  name: string,
  words: readonly [Word, ...Word[]],
): Word {
  const value = parameter(ctx, name) ?? words[0];
  const word = words.find((known) => known === value);
  if (word !== undefined) return word;
  throw apiError('invalid_parameter', `"${name}" is one of: ${words.join(', ')}`);
}

/** `?room=<name>`: one raw name, which no proxy normalizes there; the empty name is one, too. */
export function roomParameter(ctx: Context): RoomName {
  const room = parameter(ctx, 'room');
  if (room !== undefined) return room;
  throw apiError('invalid_parameter', '"room" is the raw name of the room, percent-encoded');
}
