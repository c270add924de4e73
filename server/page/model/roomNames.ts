/** Characters that are not seen, or that turn the text around them (Unicode bidirectional controls). */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

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
  return text.replace(unseen, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}

/** A raw name as a part of an address. Half a surrogate pair cannot be encoded, nor be in a request: it is replaced. */
export function encodedName(raw: string): string {
  return encodeURIComponent(raw.replace(/\p{Surrogate}/gu, '\ufffd'));
}
