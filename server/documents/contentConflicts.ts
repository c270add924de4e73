import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { addClocks, type ClockSets } from './clockRanges.js';
import { type Reference, readUpdate, type StructHead } from './updateReader.js';

type Content = { readonly text: string } | { readonly values: readonly unknown[] };

// What a state has under some clocks; `at`: its first clock.
type Run = { client: number; at: number; length: number; head: StructHead };

const replacement = 0xfffd;

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

// Yjs writes U+FFFD for the halves of a surrogate pair that it had to split.
const isSameUnit = (a: number, b: number): boolean =>
  a === b || (a === replacement && isSurrogate(b)) || (b === replacement && isSurrogate(a));

const isSameText = (
  a: string,
  aFrom: number,
  b: string,
  bFrom: number,
  length: number,
): boolean => {
  for (let i = 0; i < length; i += 1)
    if (!isSameUnit(a.charCodeAt(aFrom + i), b.charCodeAt(bFrom + i))) return false;
  return true;
};

/** Whether two values of a document are the same; the order of an object's keys does not count. */
export const isSameValue = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keys.every((key) => Object.hasOwn(other, key) && isSameValue(one[key], other[key]));
};

const readMany = (decoder: decoding.Decoder, read: () => unknown): unknown[] =>
  Array.from({ length: decoding.readVarUint(decoder) }, read);

const parse = (json: string): unknown => (json === 'undefined' ? undefined : JSON.parse(json));

// Contents by their number in the format, as `Y.Item` would hold them. Sub-documents are told by their guid.
const contentAt = (update: Uint8Array, { ref, contentAt: at }: StructHead): Content => {
  const decoder = decoding.createDecoder(update);
  decoder.pos = at;
  const text = () => decoding.readVarString(decoder);
  if (ref === 4) return { text: text() };
  if (ref === 2) return { values: readMany(decoder, () => parse(text())) };
  if (ref === 8) return { values: readMany(decoder, () => decoding.readAny(decoder)) };
  if (ref === 3) return { values: [decoding.readVarUint8Array(decoder)] };
  if (ref === 5) return { values: [parse(text())] };
  if (ref === 6) return { values: [{ key: text(), value: parse(text()) }] };
  if (ref === 7) {
    const kind = decoding.readVarUint(decoder);
    return { values: [kind === 3 || kind === 5 ? `${kind} ${text()}` : `${kind}`] };
  }
  return { values: [text()] };
};

// In the order of their numbers in the format.
const kinds = [
  Y.Array,
  Y.Map,
  Y.Text,
  Y.XmlElement,
  Y.XmlFragment,
  Y.XmlHook,
  Y.XmlText,
] as readonly unknown[];

const typeName = (type: unknown): string => {
  const kind = kinds.indexOf((type as object).constructor);
  if (type instanceof Y.XmlElement) return `${kind} ${type.nodeName}`;
  return type instanceof Y.XmlHook ? `${kind} ${type.hookName}` : `${kind}`;
};

const contentOf = ({ content }: Y.Item): Content => {
  if (content instanceof Y.ContentString) return { text: content.str };
  if (content instanceof Y.ContentType) return { values: [typeName(content.type)] };
  if (content instanceof Y.ContentFormat)
    return { values: [{ key: content.key, value: content.value }] };
  if (content instanceof Y.ContentDoc) return { values: [content.doc.guid] };
  return { values: content.getContent() };
};

const isSameReference = (a: Reference | null | undefined, b: Reference | null | undefined) =>
  (a ?? undefined) === undefined
    ? (b ?? undefined) === undefined
    : a?.client === b?.client && a?.clock === b?.clock;

/** Compares one state with a document that has some of it already. */
class Comparison {
  readonly #doc: Y.Doc;
  readonly #state: Uint8Array;
  readonly #rootNames = new Map<unknown, string>();
  readonly found: ClockSets = new Map();
  #client = -1;
  #structs: readonly (Y.Item | Y.GC)[] = [];
  #next = 0;

  constructor(doc: Y.Doc, state: Uint8Array) {
    this.#doc = doc;
    this.#state = state;
    for (const [name, type] of doc.share) this.#rootNames.set(type, name);
  }

  // Structs of a client come in the order of their clocks, and so do those of the document.
  compare(run: Run): void {
    const end = run.at + run.length;
    this.#seek(run.client, run.at);
    let content: Content | undefined;
    for (let i = this.#next; i < this.#structs.length; i += 1) {
      const struct = this.#structs[i];
      if (struct === undefined || struct.id.clock >= end) break;
      if (!(struct instanceof Y.Item) || struct.deleted || struct.length === 0) continue;
      content ??= contentAt(this.#state, run.head);
      const from = Math.max(run.at, struct.id.clock);
      const to = Math.min(end, struct.id.clock + struct.length);
      if (!this.#isSame(run, content, struct, from, to))
        addClocks(this.found, run.client, from, to);
    }
  }

  #seek(client: number, clock: number): void {
    if (client !== this.#client || (this.#structs[this.#next]?.id.clock ?? 0) > clock) {
      this.#client = client;
      this.#structs = this.#doc.store.clients.get(client) ?? [];
      this.#next = 0;
    }
    for (; this.#next < this.#structs.length; this.#next += 1) {
      const struct = this.#structs[this.#next];
      if (struct && struct.id.clock + struct.length > clock) return;
    }
  }

  #isSame(run: Run, content: Content, item: Y.Item, from: number, to: number): boolean {
    return this.#isSamePlace(run, item, from) && isSameContent(run, content, item, from, to);
  }

  #isSamePlace({ client, at, head }: Run, item: Y.Item, from: number): boolean {
    // What follows in a run comes behind what is before it.
    const before = { client, clock: from - 1 };
    const origin = from === at ? head.origin : before;
    const knownOrigin = from === item.id.clock ? item.origin : before;
    if (!isSameReference(origin, knownOrigin)) return false;
    if (!isSameReference(head.rightOrigin, item.rightOrigin)) return false;
    if (origin !== undefined || head.rightOrigin !== undefined) return true;
    return (head.parentSub ?? null) === item.parentSub && this.#isSameParent(head, item);
  }

  #isSameParent({ root, parent }: StructHead, item: Y.Item): boolean {
    const type = item.parent;
    if (!(type instanceof Y.AbstractType)) return true;
    if (root !== undefined) return this.#rootNames.get(type) === root;
    return isSameReference(parent, type._item?.id);
  }
}

const isSameContent = (
  { at }: Run,
  content: Content,
  item: Y.Item,
  from: number,
  to: number,
): boolean => {
  const known = contentOf(item);
  const [i, k] = [from - at, from - item.id.clock];
  if ('text' in content || 'text' in known) {
    if (!('text' in content) || !('text' in known)) return false;
    return isSameText(content.text, i, known.text, k, to - from);
  }
  for (let n = 0; n < to - from; n += 1)
    if (!isSameValue(content.values[i + n], known.values[k + n])) return false;
  return true;
};

/**
 * Elements of a state that are others than those that a document has under the same clocks, or are at another
 * place: two that are never one text. Whether structs are split or merged, in which order they come, and what is
 * deleted in the document makes no difference; what is deleted in the state alone is left to the caller. The state
 * must be one that `readUpdate` takes.
 */
export const conflictsWith = (doc: Y.Doc, state: Uint8Array): ClockSets => {
  if (doc.store.clients.size === 0) return new Map();
  const comparison = new Comparison(doc, state);
  readUpdate(state, {
    struct: (client, at, length, kind, head) => {
      if (head === undefined || kind === 'deleted') return;
      comparison.compare({ client, at, length, head });
    },
    deletion: () => undefined,
  });
  return comparison.found;
};
