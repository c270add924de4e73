import * as Y from 'yjs';
import { inferKind, isSharedType, type SharedType } from '../../documents/sharedTypes.js';
import { cutText, headOf, plainNode, wordOf } from '../tree/plainNode.js';
import type { TextRun, TreeNode } from '../tree/treeNode.js';
import type { RecentChanges } from './recentChanges.js';

type About = Pick<TreeNode, 'key' | 'label'> & { change?: number | undefined };

/** Maps with more keys are not sorted. */
const maxSortedKeys = 2000;

/** The root types of a document as tree nodes, sorted by name. Children are created on demand. */
export function documentTree(doc: Y.Doc, recent: RecentChanges): TreeNode[] {
  const names = [...doc.share.keys()].sort();
  return names.flatMap((name) => {
    const type = doc.share.get(name);
    return type ? [rootNode(type, { key: name, label: name }, recent)] : [];
  });
}

function rootNode(type: SharedType, about: About, recent: RecentChanges): TreeNode {
  const touched = recent.touching(type);
  const kind = inferKind(type);
  if (kind === undefined) return { ...about, kind: 'unknown', size: 0, touched };
  if (kind === 'map') return { ...about, ...mapParts(type, recent), kind, touched };
  if (kind === 'text') return { ...about, ...textParts(type, recent), kind, touched };
  return { ...about, ...listParts(type, recent), kind, touched };
}

function sharedNode(type: SharedType, about: About, recent: RecentChanges): TreeNode {
  const touched = recent.touching(type);
  if (type instanceof Y.XmlElement) {
    const label = [about.label, tagOf(type)].filter((part) => part !== '').join(' ');
    return { ...about, label, ...listParts(type, recent), kind: 'element', touched };
  }
  if (type instanceof Y.XmlFragment)
    return { ...about, ...listParts(type, recent), kind: 'xml', touched };
  if (type instanceof Y.Text)
    return { ...about, ...textParts(type, recent), kind: 'text', touched };
  if (type instanceof Y.Map) return { ...about, ...mapParts(type, recent), kind: 'map', touched };
  return { ...about, ...listParts(type, recent), kind: 'array', touched };
}

function valueNode(value: unknown, about: About, recent: RecentChanges): TreeNode {
  if (isSharedType(value)) return sharedNode(value, about, recent);
  if (value instanceof Y.Doc) return { ...about, kind: 'document', scalar: value.guid };
  return plainNode(value, about);
}

function mapParts(type: SharedType, recent: RecentChanges): Pick<TreeNode, 'size' | 'children'> {
  const keys: string[] = [];
  for (const [key, item] of type._map) if (!item.deleted) keys.push(key);
  if (keys.length <= maxSortedKeys) keys.sort();
  const entry = (key: string): TreeNode[] => {
    const item = type._map.get(key);
    if (!item) return [];
    const about = { key, label: key, change: recent.of(item, item.length - 1) };
    return [valueNode(item.content.getContent()[item.length - 1], about, recent)];
  };
  return { size: keys.length, children: (limit) => keys.slice(0, limit).flatMap(entry) };
}

function listParts(type: SharedType, recent: RecentChanges): Pick<TreeNode, 'size' | 'children'> {
  const children = (limit: number) => {
    const nodes: TreeNode[] = [];
    for (const item of liveItems(type)) {
      const contents = item.content.getContent().slice(0, limit - nodes.length);
      for (const [offset, value] of contents.entries()) {
        const about = {
          key: `${item.id.client}-${item.id.clock + offset}`,
          label: isXml(value) ? '' : `${nodes.length}`,
          change: recent.of(item, offset),
        };
        nodes.push(valueNode(value, about, recent));
      }
      if (nodes.length >= limit) break;
    }
    return nodes;
  };
  return { size: lengthOf(type), children };
}

function textParts(type: SharedType, recent: RecentChanges): Pick<TreeNode, 'size' | 'runs'> {
  return { size: lengthOf(type), runs: (limit) => new RunWriter(recent, limit).write(type) };
}

/** Collects the runs of a text, up to `limit` characters. */
class RunWriter {
  readonly #recent: RecentChanges;
  readonly #runs: TextRun[] = [];
  /** The active formats, in words, by name. */
  #formats = new Map<string, string>();
  #left: number;

  constructor(recent: RecentChanges, limit: number) {
    this.#recent = recent;
    this.#left = limit;
  }

  write(type: SharedType): TextRun[] {
    for (const item of liveItems(type)) {
      if (this.#left <= 0) break;
      if (item.content instanceof Y.ContentString) this.#characters(item, item.content.str);
      else if (item.content instanceof Y.ContentFormat) this.#format(item.content);
      else this.#embedded(item);
    }
    return this.#runs;
  }

  #characters(item: Y.Item, text: string): void {
    let at = 0;
    for (const { length, change } of this.#recent.stretchesOf(item)) {
      if (this.#left <= 0) return;
      this.#add(headOf(text.slice(at, at + length), this.#left), change);
      at += length;
      this.#left -= length;
    }
  }

  /** Merges adjacent runs that look the same. */
  #add(text: string, change: number | undefined): void {
    const formats = [...this.#formats.values()];
    const last = this.#runs.at(-1);
    if (last && !last.embedded && last.change === change && sameWords(last.formats, formats))
      this.#runs.splice(-1, 1, { ...last, text: last.text + text });
    else this.#runs.push({ key: `${this.#runs.length}-${change ?? ''}`, text, formats, change });
  }

  #format({ key, value }: Y.ContentFormat): void {
    if (value === null) this.#formats.delete(key);
    else if (this.#formats.size < maxFormats) this.#formats.set(key, formatWord(key, value));
  }

  #embedded(item: Y.Item): void {
    const change = this.#recent.of(item);
    const key = `${item.id.client}-${item.id.clock}`;
    for (const value of item.content.getContent()) {
      const embedded = valueNode(value, { key, label: 'embedded', change }, this.#recent);
      this.#runs.push({ key, text: '', formats: [], change, embedded });
      this.#left -= 1;
    }
  }
}

/** Maximum number of formats shown for one run. */
const maxFormats = 16;
const maxFormatLength = 80;

function formatWord(name: string, value: unknown): string {
  const word = cutText(name, maxFormatLength);
  return value === true ? word : `${word}: ${wordOf(value, maxFormatLength)}`;
}

const sameWords = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((word, index) => word === others[index]);

function* liveItems(type: SharedType): Generator<Y.Item> {
  for (let item = type._start; item !== null; item = item.right) if (!item.deleted) yield item;
}

/** The length of a list or text without deleted elements. Yjs counts it even for untyped roots. */
const lengthOf = (type: SharedType): number => (type as Y.AbstractType<unknown>)._length;

const isXml = (value: unknown) => value instanceof Y.XmlElement || value instanceof Y.XmlText;

const maxAttributes = 8;
const maxAttributeLength = 40;

function tagOf(element: Y.XmlElement): string {
  const attributes: string[] = [];
  let more = 0;
  for (const [name, item] of element._map) {
    if (item.deleted) continue;
    if (attributes.length >= maxAttributes) {
      more += 1;
      continue;
    }
    const value: unknown = item.content.getContent()[item.length - 1];
    const word = wordOf(value, maxAttributeLength);
    attributes.push(` ${cutText(name, maxAttributeLength)}="${word}"`);
  }
  const rest = more > 0 ? ` … ${more} more` : '';
  return `<${cutText(element.nodeName, maxAttributeLength)}${attributes.join('')}${rest}>`;
}
