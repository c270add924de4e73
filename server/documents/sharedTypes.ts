import * as Y from 'yjs';

/** Kind of a root type. */
export type Kind = 'map' | 'array' | 'text' | 'xml';

/** Internal fields of any shared type. The public methods of Yjs would fix the kind of a root type for good. */
export type SharedType = Pick<Y.AbstractType<unknown>, '_start' | '_map'>;

/** A part of a text: characters, an embedded value or a shared type, and its formatting. */
export interface TextPart {
  insert: unknown;
  attributes: ReadonlyMap<string, unknown>;
}

/** Whether a value in a document is a shared type. */
export function isSharedType(value: unknown): value is SharedType {
  return value instanceof Y.AbstractType;
}

function* liveItems(type: SharedType): Generator<Y.Item> {
  for (let item = type._start; item !== null; item = item.right) if (!item.deleted) yield item;
}

/** Elements of a list, as in Y.Array and the XML types. */
export function* elementsOf(type: SharedType): Generator<unknown> {
  for (const item of liveItems(type)) yield* item.content.getContent();
}

/** Entries of a map, or attributes of a text or an XML element. */
export function entriesOf(type: SharedType): Map<string, unknown> {
  const entries = new Map<string, unknown>();
  for (const [key, item] of type._map) {
    if (!item.deleted) entries.set(key, item.content.getContent()[item.length - 1]);
  }
  return entries;
}

/** Parts of a text in order, as in `Y.Text.toDelta`. */
export function partsOf(type: SharedType): TextPart[] {
  const parts: TextPart[] = [];
  let attributes: ReadonlyMap<string, unknown> = new Map();
  let pieces: string[] = [];
  const endRun = (): void => {
    if (pieces.length > 0) parts.push({ insert: pieces.join(''), attributes });
    pieces = [];
  };
  for (const { content } of liveItems(type)) {
    if (content instanceof Y.ContentString) {
      pieces.push(content.str);
    } else if (content instanceof Y.ContentFormat) {
      endRun();
      const changed = new Map(attributes);
      if (content.value === null) changed.delete(content.key);
      else changed.set(content.key, content.value);
      attributes = changed;
    } else {
      endRun();
      for (const insert of content.getContent()) parts.push({ insert, attributes });
    }
  }
  endRun();
  return parts;
}

const isXmlNode = (type: unknown): boolean =>
  type instanceof Y.XmlElement || type instanceof Y.XmlText || type instanceof Y.XmlHook;

/**
 * Guesses the kind of a root type from its content, because updates do not carry it; undefined: the type is empty.
 * Characters, formatting or embeds: a text. XML nodes: an XML fragment. Any other element: an array. Entries without
 * elements: a map.
 */
export function inferKind(type: SharedType): Kind | undefined {
  let kind: Kind | undefined;
  for (const { content } of liveItems(type)) {
    if (content instanceof Y.ContentString) return 'text';
    if (content instanceof Y.ContentFormat || content instanceof Y.ContentEmbed) return 'text';
    kind ??= content instanceof Y.ContentType && isXmlNode(content.type) ? 'xml' : 'array';
  }
  return kind ?? (type._map.size > 0 ? 'map' : undefined);
}
