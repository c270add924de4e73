import { readFileSync } from 'node:fs';

/** The version of this service, from its package.json. */
export function serviceVersion(): string {
  // From the sources in `server`, and from `dist/server`.
  const path = import.meta.url.endsWith('.ts') ? '../package.json' : '../../package.json';
  const text = readFileSync(new URL(path, import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
