import { byteWord } from '../room/words.js';
import { lookOf } from '../servers/serverLook.js';
import { agoText } from '../ui/moment.js';
import type { TableKind } from './roomHeads.js';
import type { ListedRooms } from './useListedRooms.js';

const none: readonly string[] = [];

/** The texts of a row after the name and the connections; a dash: unknown. */
export function detailsOf(
  name: string,
  kind: TableKind,
  { empty, findings }: Pick<ListedRooms, 'empty' | 'findings'>,
): readonly string[] {
  if (kind === 'findings') return [(findings.get(name) ?? []).map(shortNameOf).join(', ')];
  if (kind !== 'empty') return none;
  const { updatedAt, bytes } = empty.get(name) ?? { updatedAt: null, bytes: null };
  return [updatedAt === null ? '–' : agoText(updatedAt), bytes === null ? '–' : byteWord(bytes)];
}

const shortNameOf = (id: string) => lookOf(id).shortName;
