import * as decoding from 'lib0/decoding';
import * as Y from 'yjs';
import { addClocks, type ClockSets } from './clockRanges.js';
import type { Reference, StructHead } from './updateReader.js';

type Content = { readonly text: string } | { readonly values: readonly unknown[] };

const replacement = 0xfffd;

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/** Yjs writes U+FFFD for both halves of a surrogate pair that it had to split. */
const isSameUnit = (a: number, b: number): boolean =>
  a === b || (a === replacement && isSurrogate(b)) || (b === replacement && isSurrogate(a));

function isSameText(a: string, aFrom: number, b: string, bFrom: number, length: number): boolean {
  for (let i = 0; i < length; i += 1)
    if (!isSameUnit(a.charCodeAt(aFrom + i), b.charCodeAt(bFrom + i))) return false;
  return true;
}

/** Whether two values in a document are equal; the order of keys does not matter. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array)
    return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
  const keys = Object.keys(a);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(b).length) return false;
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keys.every((key) => Object.hasOwn(other, key) && isSameValue(one[key], other[key]));
}

const readMany = (decoder: decoding.Decoder, read: () => unknown): unknown[] =>
  Array.from({ length: decoding.readVarUint(decoder) }, read);

const parse = (json: string): unknown => (json === 'undefined' ? undefined : JSON.parse(json));

/** Reads the content of a struct as `Y.Item` would hold it. A sub-document is represented by its guid. */
function contentAt(update: Uint8Array, { ref, contentAt: at }: StructHead): Content {
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
}

/** In the order of their numbers in the format. */
const kinds = [
  Y.Array,
  Y.Map,
  Y.Text,
  Y.XmlElement,
  Y.XmlFragment,
  Y.XmlHook,
  Y.XmlText,
] as readonly unknown[];

function typeName(type: unknown): string {
  const kind = kinds.indexOf((type as object).constructor);
  if (type instanceof Y.XmlElement) return `${kind} ${type.nodeName}`;
  return type instanceof Y.XmlHook ? `${kind} ${type.hookName}` : `${kind}`;
}

function contentOf({ content }: Y.Item): Content {
  if (content instanceof Y.ContentString) return { text: content.str };
  if (content instanceof Y.ContentType) return { values: [typeName(content.type)] };
  if (content instanceof Y.ContentFormat)
    return { values: [{ key: content.key, value: content.value }] };
  if (content instanceof Y.ContentDoc) return { values: [content.doc.guid] };
  return { values: content.getContent() };
}

const isSameReference = (a: Reference | null | undefined, b: Reference | null | undefined) =>
  a?.client === b?.client && a?.clock === b?.clock;

/** Whether the ASCII string at `at` in the update equals the text of an item from `from` on. */
function isSameAscii(
  update: Uint8Array,
  at: number,
  { str }: Y.ContentString,
  from: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i += 1) if (update[at + i] !== str.charCodeAt(from + i)) return false;
  return true;
}

function isSameContent(
  content: Content,
  i: number,
  item: Y.Item,
  k: number,
  length: number,
): boolean {
  const known = contentOf(item);
  if ('text' in content || 'text' in known) {
    if (!('text' in content) || !('text' in known)) return false;
    return isSameText(content.text, i, known.text, k, length);
  }
  for (let n = 0; n < length; n += 1)
    if (!isSameValue(content.values[i + n], known.values[k + n])) return false;
  return true;
}

/**
 * Finds elements of a state whose content or place differs from what a document has under the same clocks. Such
 * documents never converge. How structs are split or ordered, and what is deleted in the document, is ignored. What is
 * deleted only in the state is up to the caller.
 */
export class ContentConflicts {
  readonly #doc: Y.Doc;
  readonly #state: Uint8Array;
  readonly #rootNames = new Map<unknown, string>();
  readonly found: ClockSets = new Map();
  #client = -1;
  #structs: readonly (Y.Item | Y.GC)[] = [];
  #next = 0;

  /** The caller reads `state` and calls `compare` for its items. */
  constructor(doc: Y.Doc, state: Uint8Array) {
    this.#doc = doc;
    this.#state = state;
    for (const [name, type] of doc.share) this.#rootNames.set(type, name);
  }

  /** Compares an item of the state that begins at clock `at`. Items of one client come in the order of their clocks. */
  compare(client: number, at: number, length: number, head: StructHead): void {
    const end = at + length;
    this.#seek(client, at);
    let content: Content | undefined;
    for (let i = this.#next; i < this.#structs.length; i += 1) {
      const struct = this.#structs[i];
      if (struct === undefined || struct.id.clock >= end) break;
      if (!(struct instanceof Y.Item) || struct.deleted || struct.length === 0) continue;
      const start = struct.id.clock;
      const from = Math.max(at, start);
      const to = Math.min(end, start + struct.length);
      let isSame = this.#isSamePlace(client, at, head, struct, from);
      if (isSame && head.asciiAt >= 0 && struct.content instanceof Y.ContentString) {
        const asciiAt = head.asciiAt + from - at;
        isSame = isSameAscii(this.#state, asciiAt, struct.content, from - start, to - from);
      } else if (isSame) {
        content ??= contentAt(this.#state, head);
        isSame = isSameContent(content, from - at, struct, from - start, to - from);
      }
      if (!isSame) addClocks(this.found, client, from, to);
    }
  }

  /** Moves to the first struct of the document that ends after the clock. */
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

  #isSamePlace(client: number, at: number, head: StructHead, item: Y.Item, from: number): boolean {
    const start = item.id.clock;
    // The rest of a run follows the element before it.
    if (from > at && from > start) return isSameReference(head.rightOrigin, item.rightOrigin);
    const before = from > at || from > start ? { client, clock: from - 1 } : undefined;
    const origin = from > at ? before : head.origin;
    if (!isSameReference(origin, from > start ? before : item.origin)) return false;
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
