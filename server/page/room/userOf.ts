import { visible } from '../model/roomNames.js';
import { cutText } from '../tree/plainNode.js';

const maxNameLength = 80;

/** What editors share of their user by convention: the fields of `user` in an awareness state. Both are untrusted. */
export function userOf(state: unknown): { name: string | undefined; color: string | undefined } {
  const user = field(state, 'user');
  const [name, color] = [field(user, 'name'), field(user, 'color')];
  const isNamed = typeof name === 'string' && name !== '';
  return {
    name: isNamed ? visible(cutText(name, maxNameLength)) : undefined,
    color: typeof color === 'string' ? color : undefined,
  };
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
