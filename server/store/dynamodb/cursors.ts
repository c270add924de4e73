import { InvalidCursor, isStorable } from '../store.js';

// So that a text which happens to be base64url is not taken for a place in the table.
const mark = 'after:';

/** The cursor of the page that follows the item with this key. */
export function toCursor(key: string): string {
  return Buffer.from(mark + key, 'utf8').toString('base64url');
}

/** The key in a cursor. Throws `InvalidCursor` for every text that `toCursor` does not make. */
export function fromCursor(cursor: string): string {
  const decoded = Buffer.from(cursor, 'base64url').toString('utf8');
  const key = decoded.slice(mark.length);
  if (!isStorable(key) || toCursor(key) !== cursor) {
    throw new InvalidCursor('the cursor is none that a page has given');
  }
  return key;
}
