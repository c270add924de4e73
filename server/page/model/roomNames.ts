/**
 * Characters that are not seen, that turn the text around them (Unicode bidirectional controls), or that
 * are half a character. The style of an emoji (U+FE0F) is left to it.
 */
const unseen =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202f\u2800\ufff9-\ufffb]|(?!\ufe0f)\p{Default_Ignorable_Code_Point}|(?<!\p{Extended_Pictographic})\ufe0f/gu;
/** Of a text to be read: what turns it around, and control characters but those of its lines. */
const deceiving = /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|(?![\t\n\r])\p{Cc}/gu;

/** A raw room name as people wrote it; a name that cannot be decoded stays as it is. */
export function decodedName(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

/** A room's name to be shown: decoded, and with nothing in it that deceives the eye. */
export function shownName(raw: string): string {
  return visible(decodedName(raw)) || '(empty name)';
}

/** Text of strangers with its invisible characters spelled out: `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(unseen, spelledOut);
}

/** The same for a text of many lines, in which joiners and marks of direction belong to the writing. */
export function legible(text: string): string {
  return text.replace(deceiving, spelledOut);
}

const spelledOut = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`;

/** A raw name as a part of an address. Half a surrogate pair cannot be encoded, nor be in a request: it is replaced. */
export function encodedName(raw: string): string {
  return encodeURIComponent(raw.replace(/\p{Surrogate}/gu, '\ufffd'));
}
