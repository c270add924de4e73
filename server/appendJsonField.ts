/**
 * Adds a field to the JSON text of an object. `valueJson` is JSON text already: a large document need not
 * be parsed to be sent, and a map may have keys such as `__proto__`.
 */
export function appendJsonField(objectJson: string, name: string, valueJson: string): string {
  return `${openJsonField(objectJson, name)}${valueJson}}`;
}

/** The same up to the value, for a value that is written in parts; the writer adds it and a `}`. */
export function openJsonField(objectJson: string, name: string): string {
  const separator = objectJson === '{}' ? '' : ',';
  return `${objectJson.slice(0, -1)}${separator}"${name}":`;
}
