import type { FormatChange, LogEntry } from '../../wire/logEntry.js';
import { visible } from '../model/roomNames.js';

/** Who made an update, and with which clocks. */
export interface Author {
  client: number;
  /** Undefined: not known. */
  name: string | undefined;
  /** `12`, `12–15`. */
  clocks: string;
}

const maxClients = 3;

/** The first clients of an update. `nameOf`: the name that a client announced. */
export function authorsOf(
  { clients, more }: Pick<LogEntry, 'clients' | 'more'>,
  nameOf: (client: number) => string | undefined,
): { authors: Author[]; more: number } {
  const authors = clients.slice(0, maxClients).map(({ client, from, to }) => ({
    client,
    name: nameOf(client),
    clocks: to - from > 1 ? `${from}–${to - 1}` : `${from}`,
  }));
  return { authors, more: clients.length - authors.length + more };
}

/** What an update is if it names no client: deletions do not say who deleted. Empty: it names some. */
export function authorlessWords(entry: LogEntry): string {
  if (entry.isExamined === false) return 'applied, details unknown';
  if (entry.clients.length + entry.more > 0) return '';
  if (entry.deleted > 0) return 'deletes only';
  return formatsOf(entry).length > 0 ? 'formatting only' : 'empty update';
}

/** What an update does to the formatting: `bold`, `unbold`, `bold moved`. */
export const formatWords = (entry: LogEntry): string => formatsOf(entry).map(formatWord).join(', ');

/** A service of an earlier version does not tell. */
const formatsOf = ({ formats }: Partial<LogEntry>): readonly FormatChange[] => formats ?? [];

/** Formats whose removal has a word of its own: bold, unbold. For others, "removed" is added. */
const opposable = new Set(['bold', 'italic', 'underline', 'strike', 'link', 'highlight']);

function formatWord({ name, change }: FormatChange): string {
  const shown = visible(name);
  if (change === 'set') return shown;
  if (change === 'moved') return `${shown} moved`;
  return opposable.has(name) ? `un${name}` : `${shown} removed`;
}
