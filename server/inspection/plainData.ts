/** Limits of a shown value. */
const limits = { depth: 6, items: 50, characters: 500 };

/** A JSON value. */
export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

/**
 * Converts a context or an event to bounded JSON without secrets. Bytes may be what somebody wrote, so only their
 * number is shown. `toJSON` is used where there is one. Tokens are masked.
 */
export function plainData(value: unknown, depth = limits.depth): Plain {
  if (typeof value === 'string') return plainText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return { type: value.name };
  return typeof value === 'object' ? plainObject(value, depth) : null;
}

function plainText(text: string): string {
  const cut = text.length > limits.characters ? `${text.slice(0, limits.characters)}…` : text;
  return cut.replace(/(\btoken=)[^&\s"']+/gi, '$1***');
}

function plainObject(value: object, depth: number): Plain {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return { bytes: value.byteLength };
  if (value instanceof Map || value instanceof Set) return { size: value.size };
  if (value instanceof Error) return { name: value.name, message: plainText(value.message) };
  if (depth === 0) return '…';
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return plainData(value.toJSON(), depth - 1);
  return Array.isArray(value) ? plainArray(value, depth) : plainRecord(value, depth);
}

function plainArray(values: readonly unknown[], depth: number): Plain {
  const shown = values.slice(0, limits.items).map((each) => plainData(each, depth - 1));
  const more = values.length - shown.length;
  return more > 0 ? [...shown, `… and ${more} more`] : shown;
}

function plainRecord(record: object, depth: number): Plain {
  const entries = Object.entries(record).filter(([, each]) => each !== undefined);
  const shown = entries
    .slice(0, limits.items)
    .map(([key, each]): [string, Plain] => [plainText(key), plainData(each, depth - 1)]);
  const more = entries.length - shown.length;
  if (more > 0) shown.push(['…', `and ${more} more`]);
  return Object.fromEntries(shown);
}
