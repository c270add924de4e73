import { InvalidCursor, isStorable } from '../store.js';

// Distinguishes cursors from other base64url texts.
const mark = 'after:';

/** The cursor of the page that follows the item with this key. */
export function toCursor(key: string): string {
  return Buffer.from(mark + key, 'utf8').toString('base64url');
}

/** The key in a cursor. Throws `InvalidCursor` for any text that is not from `toCursor`. */
export function fromCursor(cursor: string): string {
  const decoded = Buffer.from(cursor, 'base64url').toString('utf8');
  const key = decoded.slice(mark.length);
  if (!isStorable(key) || toCursor(key) !== cursor) {
    throw new InvalidCursor('the cursor is not from a page of this table');
  }
  return key;
}
