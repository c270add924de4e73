/**
 * Parses a URL (WHATWG URL standard); undefined: the text is not a URL. `URL.canParse` is not used: once
 * optimized, it accepts some invalid texts with Latin-1 characters in Node 20.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
