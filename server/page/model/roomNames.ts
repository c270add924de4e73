/**
 * Invisible characters, Unicode bidirectional controls and lone surrogates. Excludes the variation
 * selector of emoji (U+FE0F).
 */
const unseen =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202f\u2800\ufff9-\ufffb]|(?!\ufe0f)\p{Default_Ignorable_Code_Point}|(?<!\p{Extended_Pictographic})\ufe0f/gu;
/** The same for running text: bidirectional controls, and control characters except line breaks and tabs. */
const deceiving = /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|(?![\t\n\r])\p{Cc}/gu;

/** Decodes a raw room name. Returns it unchanged if it cannot be decoded. */
export function decodedName(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}

/** A room's name for display: decoded, with invisible characters escaped. */
export function shownName(raw: string): string {
  const shown = visible(decodedName(raw));
  if (shown === '') return '(empty name)';
  // Nothing would be seen of spaces alone.
  return shown.trim() === '' ? shown.replace(/./gu, spelledOut) : shown;
}

/** Escapes the invisible characters of untrusted text: `\u{202e}`. */
export function visible(text: string): string {
  return text.replace(unseen, spelledOut);
}

/** The same for running text, where joiners and direction marks are legitimate. */
export function legible(text: string): string {
  return text.replace(deceiving, spelledOut);
}

const spelledOut = (character: string) => `\\u{${character.codePointAt(0)?.toString(16)}}`;

/** Encodes a raw name for a URL. Replaces lone surrogates, which cannot be encoded. */
export function encodedName(raw: string): string {
  return encodeURIComponent(raw.replace(/\p{Surrogate}/gu, '\ufffd'));
}
