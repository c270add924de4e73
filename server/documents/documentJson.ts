import * as Y from 'yjs';
import { JsonWriter } from './jsonWriter.js';
import {
  elementsOf,
  entriesOf,
  inferKind,
  isSharedType,
  type Kind,
  partsOf,
  type SharedType,
  type TextPart,
} from './sharedTypes.js';

/** `types`: the kinds of root types whose content does not tell. */
export interface JsonOptions {
  readonly types?: Readonly<Record<string, Kind>>;
  readonly maxBytes: number;
  readonly maxDepth: number;
}

/** A document as JSON text in UTF-8. `isTruncated`: parts were left out. */
export interface DocumentJson {
  readonly json: Uint8Array<ArrayBuffer>;
  readonly isTruncated: boolean;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

class DocumentWriter {
  readonly #out: JsonWriter;
  readonly #maxDepth: number;
  #depth = 0;

  constructor(out: JsonWriter, maxDepth: number) {
    this.#out = out;
    this.#maxDepth = maxDepth;
  }

  root(type: SharedType, kind: Kind | undefined): void {
    const known = kind ?? inferKind(type);
    if (known === undefined) this.#out.raw('{"type":"unknown"}');
    else this.#ofKind(type, known, known);
  }

  #value(value: unknown): void {
    if (this.#depth >= this.#maxDepth || this.#out.isFull) {
      if (typeof value === 'object' && value !== null) {
        this.#out.truncated();
        return;
      }
    }
    this.#depth += 1;
    if (isSharedType(value)) this.#nested(value);
    else if (value instanceof Y.Doc) this.#subDocument(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else if (Array.isArray(value)) this.#out.array(value, (item) => this.#value(item));
    else if (isRecord(value)) this.#plainObject(value);
    else this.#scalar(value);
    this.#depth -= 1;
  }

  #nested(type: SharedType): void {
    if (type instanceof Y.XmlElement) this.#ofKind(type, 'xml', 'xmlElement', type.nodeName);
    else if (type instanceof Y.XmlFragment) this.#ofKind(type, 'xml', 'xml');
    else if (type instanceof Y.XmlText) this.#ofKind(type, 'text', 'xmlText');
    else if (type instanceof Y.Text) this.#ofKind(type, 'text', 'text');
    else if (type instanceof Y.XmlHook) this.#ofKind(type, 'map', 'xmlHook', type.hookName);
    else if (type instanceof Y.Map) this.#ofKind(type, 'map', 'map');
    else this.#ofKind(type, 'array', 'array');
  }

  #ofKind(type: SharedType, kind: Kind, label: string, name?: string): void {
    const out = this.#out;
    out.raw(`{"type":"${label}"`);
    if (name !== undefined) {
      out.raw(',"name":');
      out.string(name);
    }
    if (kind === 'map') {
      out.raw(',"value":');
      this.#entries(entriesOf(type));
    } else {
      this.#attributes(entriesOf(type));
      if (kind === 'text') this.#text(partsOf(type));
      else {
        out.raw(',"value":');
        out.array(elementsOf(type), (element) => this.#value(element));
      }
    }
    out.raw('}');
  }

  #text(parts: readonly TextPart[]): void {
    const out = this.#out;
    out.raw(',"value":');
    const strings = parts.flatMap(({ insert }) => (typeof insert === 'string' ? [insert] : []));
    if (!out.string(strings.join(''))) out.cut();
    if (parts.every(({ insert, attributes }) => typeof insert === 'string' && !attributes.size)) {
      return;
    }
    out.raw(',"delta":');
    out.array(parts, ({ insert, attributes }) => {
      out.raw('{"insert":');
      this.#value(insert);
      this.#attributes(attributes);
      out.raw('}');
    });
  }

  #attributes(attributes: ReadonlyMap<string, unknown>): void {
    if (attributes.size === 0) return;
    this.#out.raw(',"attributes":');
    this.#entries(attributes);
  }

  #entries(entries: ReadonlyMap<string, unknown>): void {
    this.#out.object(entries.keys(), (key) => () => this.#value(entries.get(key)));
  }

  /** Wraps an object with a key `type`, which would look like one of our labels. */
  #plainObject(value: Record<string, unknown>): void {
    const isWrapped = Object.hasOwn(value, 'type');
    if (isWrapped) this.#out.raw('{"type":"object","value":');
    this.#out.object(Object.keys(value), (key) => () => this.#value(value[key]));
    if (isWrapped) this.#out.raw('}');
  }

  #subDocument({ guid, meta }: Y.Doc): void {
    this.#out.raw('{"type":"document","guid":');
    this.#out.string(guid);
    if (meta !== null && meta !== undefined) {
      this.#out.raw(',"meta":');
      this.#value(meta);
    }
    this.#out.raw('}');
  }

  #binary(bytes: Uint8Array): void {
    this.#out.raw(`{"type":"binary","bytes":${bytes.length},"base64":`);
    // As many whole base64 groups as fit.
    const fits = Math.max(0, Math.floor(this.#out.bytesLeft / 4)) * 3;
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, fits));
    this.#out.string(head.toString('base64'));
    if (head.length < bytes.length) this.#out.cut();
    this.#out.raw('}');
  }

  #scalar(value: unknown): void {
    const out = this.#out;
    if (typeof value === 'string') {
      if (out.fits(value)) out.string(value);
      else {
        out.raw('{"type":"truncated","value":');
        out.string(value);
        out.raw('}');
      }
    } else if (typeof value === 'bigint') out.raw(`{"type":"bigint","value":"${value}"}`);
    else if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
      out.raw(`{"type":"number","value":"${Object.is(value, -0) ? '-0' : value}"}`);
    } else out.raw(JSON.stringify(value) ?? '{"type":"undefined"}');
  }
}

/**
 * The whole document as JSON, with every root type by its name and with sorted keys. Does not change the document:
 * asking Yjs for a root type by kind would convert it for good.
 *
 *     {
 *       "notes": {"type":"text","value":"Hi all","delta":[{"insert":"Hi "},{"insert":"all","attributes":{"bold":true}}]},
 *       "list":  {"type":"array","value":[1,{"plain":"object"},{"type":"map","value":{"nested":true}}]},
 *       "page":  {"type":"xml","value":[{"type":"xmlElement","name":"p","attributes":{"class":"a"},"value":[{"type":"xmlText","value":"x"}]}]},
 *       "empty": {"type":"unknown"}
 *     }
 *
 * docs/protocol.md, "Documents as JSON", lists the fields of each `type`.
 */
export function documentJson(
  doc: Y.Doc,
  { types = {}, maxBytes, maxDepth }: JsonOptions,
): DocumentJson {
  const out = new JsonWriter(maxBytes);
  const writer = new DocumentWriter(out, maxDepth);
  out.object(doc.share.keys(), (name) => {
    const type = doc.share.get(name);
    const kind = Object.hasOwn(types, name) ? types[name] : undefined;
    return type && (() => writer.root(type, kind));
  });
  return { json: out.toBytes(), isTruncated: out.isTruncated };
}
