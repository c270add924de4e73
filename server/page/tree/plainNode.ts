import type { ChangeNumber, TextRun, TreeNode } from './treeNode.js';

/** Longer strings are shown as expandable texts. */
const maxScalarLength = 160;

type About = Pick<TreeNode, 'key' | 'label'> & { change?: ChangeNumber | undefined };

/** A tree node for JSON, or for any other value that is not a shared type. */
export function plainNode(value: unknown, about: About): TreeNode {
  if (typeof value === 'string') return stringNode(value, about);
  if (value instanceof Uint8Array)
    return { ...about, kind: 'binary', scalar: hexOf(value), size: value.length };
  if (Array.isArray(value)) return listNode(value, about);
  if (typeof value === 'object' && value !== null) return objectNode(value, about);
  return { ...about, kind: value === null ? 'null' : typeof value, scalar: wordFor(value) };
}

/** The first characters of a text. Never splits a surrogate pair. */
export function headOf(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const isHalf = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, isHalf ? limit - 1 : limit);
}

/** The first characters of a text, with an ellipsis if it is longer. */
export function cutText(text: string, limit: number): string {
  return text.length > limit ? `${headOf(text, limit)}…` : text;
}

const maxWordKeys = 4;

/** A short form of a value of any size. */
export function wordOf(value: unknown, limit: number): string {
  if (typeof value === 'string') return cutText(value, limit);
  if (typeof value !== 'object' || value === null) return wordFor(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : '[…]';
  const words: string[] = [];
  for (const key in value) {
    if (words.length === maxWordKeys) return `{${words.join()},…}`;
    const own = (value as Record<string, unknown>)[key];
    const isPlain = typeof own !== 'object' || own === null;
    const word = typeof own === 'string' ? JSON.stringify(cutText(own, limit)) : String(own);
    words.push(`${JSON.stringify(cutText(key, limit))}:${isPlain ? word : '…'}`);
  }
  return `{${words.join()}}`;
}

function stringNode(value: string, about: About): TreeNode {
  if (value.length <= maxScalarLength && !value.includes('\n'))
    return { ...about, kind: 'string', scalar: JSON.stringify(value) };
  const runs = (limit: number): TextRun[] => [
    { key: 'all', text: headOf(value, limit), formats: [] },
  ];
  return { ...about, kind: 'string', size: value.length, runs };
}

const listNode = (value: readonly unknown[], about: About): TreeNode => ({
  ...about,
  kind: 'list',
  size: value.length,
  children: (limit) =>
    value
      .slice(0, limit)
      .map((item, index) => plainNode(item, { key: `${index}`, label: `${index}` })),
});

/** Caches the keys of objects: listing a million of them on every render would be slow. */
const keysOf = new WeakMap<object, readonly string[]>();

function objectNode(value: object, about: About): TreeNode {
  const keys = keysOf.get(value) ?? Object.keys(value);
  keysOf.set(value, keys);
  const own = value as Record<string, unknown>;
  const children = (limit: number) =>
    keys.slice(0, limit).map((key) => plainNode(own[key], { key, label: key }));
  return { ...about, kind: 'object', size: keys.length, children };
}

function wordFor(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  return Object.is(value, -0) ? '-0' : String(value);
}

const shownBytes = 16;

function hexOf(bytes: Uint8Array): string {
  const head = [...bytes.subarray(0, shownBytes)].map((byte) => byte.toString(16).padStart(2, '0'));
  return `${head.join(' ')}${bytes.length > shownBytes ? ' …' : ''}`;
}
