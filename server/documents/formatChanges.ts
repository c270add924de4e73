import * as Y from 'yjs';
import type { FormatChange } from '../wire/logEntry.js';
import type { ClockSets } from './clockRanges.js';
import { itemsIn } from './itemsIn.js';

const maxFormats = 10;
const maxNameLength = 100;

/** What an update does to the formatting of texts. */
export interface Formatting {
  /** The first 10 formats that it sets or removes. */
  readonly formats: readonly FormatChange[];
  /** How many of its deletions are marks of formats, not content. */
  readonly deletedMarks: number;
}

/** Nothing is known of the formatting. */
export const noFormatting: Formatting = { formats: [], deletedMarks: 0 };

/**
 * Reads the formatting that an update sets or removes from a document. Call it in the transaction in which the update
 * was applied: at its end Yjs drops the content of deleted elements.
 */
export function formattingIn(
  doc: Y.Doc,
  { structs, deletions }: { readonly structs: ClockSets; readonly deletions: ClockSets },
): Formatting {
  const set = new Set<string>();
  const removed = new Set<string>();
  let deletedMarks = 0;
  const ends = new Set<string>();
  for (const { key, value } of marksIn(doc, structs)) (value === null ? ends : set).add(key);
  for (const { key, value } of marksIn(doc, deletions)) {
    deletedMarks += 1;
    if (value !== null) removed.add(key);
  }
  // A format that only gets another end is removed from what follows.
  for (const key of ends) if (!set.has(key)) removed.add(key);
  return { formats: listed(set, removed), deletedMarks };
}

function listed(set: ReadonlySet<string>, removed: ReadonlySet<string>): FormatChange[] {
  const names = [...new Set([...set, ...removed])].sort().slice(0, maxFormats);
  return names.map((name) => ({
    name: name.slice(0, maxNameLength),
    change: set.has(name) ? (removed.has(name) ? 'moved' : 'set') : 'removed',
  }));
}

/** The marks at which formats begin and end. */
function* marksIn(doc: Y.Doc, sets: ClockSets): Generator<Y.ContentFormat> {
  for (const { content } of itemsIn(doc, sets))
    if (content instanceof Y.ContentFormat) yield content;
}
