/**
 * A URL of its text (WHATWG URL standard); undefined: it is none. Not by `URL.canParse`, which in Node 20
 * takes some texts with characters of Latin-1 for URLs once it has been optimized.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
