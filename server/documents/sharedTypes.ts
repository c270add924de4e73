import * as Y from 'yjs';

/** What a root type can be told to be. */
export type Kind = 'map' | 'array' | 'text' | 'xml';

/**
 * Any shared type, as far as this service looks into it: Yjs has no public way that does not turn a root type
 * into one of a kind for good.
 */
export type SharedType = Pick<Y.AbstractType<unknown>, '_start' | '_map'>;

/** A part of a text: characters, an embedded value or a shared type, with the formatting it stands in. */
export interface TextPart {
  insert: unknown;
  attributes: ReadonlyMap<string, unknown>;
}

/** Whether a value of a document is a shared type. */
export function isSharedType(value: unknown): value is SharedType {
  return value instanceof Y.AbstractType;
}

function* liveItems(type: SharedType): Generator<Y.Item> {
  for (let item = type._start; item !== null; item = item.right) if (!item.deleted) yield item;
}

/** Elements of a list, as Y.Array and the XML types hold them. */
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

/** Parts of a text in order, as `Y.Text.toDelta` has them. */
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
 * What a root type is by its content, since roots arrive without a kind; undefined when it has none that tells.
 * Characters, formatting and embeds make a text, XML nodes an XML fragment, any other element an array, and
 * entries without elements a map.
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
