import { parseJson } from '../parseActivation.js';

/** One part of the body of a post, as docs/protocol.md allows it. */
export type Entry = {
  readonly room: string;
  readonly add?: number;
  readonly update?: string;
  readonly awareness?: string;
  readonly lost?: true;
};

/** The entries of a body, or why it is not a valid one. */
export type Body = { readonly entries: readonly Entry[]; readonly problem?: string };

const maxAdd = 1_000;
const maxNameLength = 16_384;

/** Parses the body of a post. A body with an invalid entry has no entries, as the service refuses it whole. */
export function parseBody(text: string): Body {
  const value = parseJson(text);
  if (value === undefined) return { entries: [], problem: `not JSON: ${shorten(text)}` };
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const bad = list.find((item) => !isEntry(item));
  if (list.length === 0 || bad !== undefined)
    return { entries: [], problem: `invalid: ${shorten(JSON.stringify(bad ?? value))}` };
  return { entries: list as Entry[] };
}

function isEntry(item: unknown): item is Entry {
  const { room, add, update, awareness, lost } = Object(item) as Record<string, unknown>;
  if (typeof room !== 'string' || room.length > maxNameLength) return false;
  if (add !== undefined) return isDelta(add);
  return typeof update === 'string' || typeof awareness === 'string' || lost === true;
}

function isDelta(add: unknown): boolean {
  return Number.isInteger(add) && add !== 0 && Math.abs(add as number) <= maxAdd;
}

/** The beginning of a text, for a message. */
export function shorten(text: string, length = 120): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
