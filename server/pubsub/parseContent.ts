import { entriesOf, InvalidPost, maxNameLength } from './parsePosted.js';

/** Something about a watched room, as its servers post it: docs/protocol.md. Updates are in base64. */
export type ContentEntry = { room: string } & (
  | { update: string }
  | { awareness: string }
  /** The server dropped updates or awareness of the room. */
  | { lost: true }
);

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Parses one entry or an array of them. Throws `InvalidPost`: among others for deltas, which do not belong here. */
export function parseContent(body: string): ContentEntry[] {
  const entries = entriesOf(body);
  for (const [index, entry] of entries.entries())
    if (!isContent(entry)) throw new InvalidPost('invalid_delta', `${index}: no content of a room`);
  return entries as ContentEntry[];
}

/** Checked by hand: in a body full of small updates, a schema would take longer than all else. */
function isContent(entry: unknown): entry is ContentEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const { room, add, update, awareness, lost } = entry as Partial<Record<string, unknown>>;
  if (typeof room !== 'string' || room.length > maxNameLength || add !== undefined) return false;
  if (update !== undefined)
    return awareness === undefined && lost === undefined && isBase64(update);
  if (awareness !== undefined) return lost === undefined && isBase64(awareness);
  return lost === true;
}

function isBase64(text: unknown): boolean {
  return typeof text === 'string' && text.length % 4 === 0 && base64.test(text);
}
