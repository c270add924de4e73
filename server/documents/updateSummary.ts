import * as Y from 'yjs';
import type { UpdateSummary } from '../wire/logEntry.js';
import { addClocks, type ClockSets, listRanges } from './clockRanges.js';
import { type Formatting, noFormatting } from './formatChanges.js';
import { itemsIn } from './itemsIn.js';
import { readUpdate } from './updateReader.js';

/** The contents of an update, read without a document. */
export interface ExaminedUpdate {
  readonly bytes: number;
  readonly structs: ClockSets;
  readonly deletions: ClockSets;
  readonly inserted: number;
  readonly deleted: number;
  readonly roots: Set<string>;
  /** Whether it has structs or deletions of length 0: see `withoutEmpty`. */
  readonly hasEmpty: boolean;
}

const maxListed = 50;
const maxNameLength = 100;

/** Reads an update to summarize it. Throws `BadUpdate`. */
export function examineUpdate(update: Uint8Array): ExaminedUpdate {
  const structs: ClockSets = new Map();
  const deletions: ClockSets = new Map();
  const roots = new Set<string>();
  let inserted = 0;
  let deleted = 0;
  const { hasEmpty } = readUpdate(update, {
    struct: (client, clock, length, kind, head) => {
      if (kind === 'gap') return;
      addClocks(structs, client, clock, clock + length);
      if (kind === 'content') inserted += length;
      if (head?.root !== undefined) roots.add(head.root);
    },
    deletion: (client, clock, length) => {
      addClocks(deletions, client, clock, clock + length);
      deleted += length;
    },
  });
  return { bytes: update.byteLength, structs, deletions, inserted, deleted, roots, hasEmpty };
}

const cut = (name: string): string =>
  name.length > maxNameLength ? `${name.slice(0, maxNameLength)}…` : name;

/** Log entry of an update. `reached`: root types that it changes according to a document, as `formatting`. */
export function summarizeUpdate(
  { bytes, structs, inserted, deleted, roots }: ExaminedUpdate,
  reached: ReadonlySet<string> = new Set(),
  { formats, deletedMarks }: Formatting = noFormatting,
): UpdateSummary {
  const { ranges, more } = listRanges(structs, maxListed);
  const names = [...new Set([...roots, ...reached])].sort();
  const types = names.slice(0, maxListed).map(cut);
  return {
    bytes,
    clients: ranges,
    inserted,
    deleted: Math.max(0, deleted - deletedMarks),
    formats,
    types,
    more: more + names.length - types.length,
    isExamined: true,
  };
}

/** Log entry of an update that cannot be described. */
export function summarizeUnread(bytes: number): UpdateSummary {
  return {
    bytes,
    clients: [],
    inserted: 0,
    deleted: 0,
    formats: [],
    types: [],
    more: 0,
    isExamined: false,
  };
}

/** Names of the root types in which a document holds the elements of an update. */
export function rootsReached(doc: Y.Doc, { structs, deletions }: ExaminedUpdate): Set<string> {
  const seen = new Set<unknown>();
  const roots = new Set<unknown>();
  const climb = (from: unknown): void => {
    let type = from;
    while (type instanceof Y.AbstractType && !seen.has(type)) {
      seen.add(type);
      if (type._item === null) roots.add(type);
      type = type._item?.parent;
    }
  };
  for (const sets of [structs, deletions])
    for (const { parent } of itemsIn(doc, sets)) climb(parent);
  const names = new Set<string>();
  if (roots.size === 0) return names;
  for (const [name, type] of doc.share) if (roots.has(type)) names.add(name);
  return names;
}
