/** What server/moduleBeside.ts is in tests: processes and threads run what compileSources.ts compiled. */

import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url).href;

/** Compiled modules need no options. */
export const forkOptions = (): string[] => [];

/** The compiled module `name` in the folder of the source at `url`. */
export function moduleBeside(url: string, name: string): URL {
  const { href } = new URL(`${name}.js`, url);
  return new URL(href.slice(root.length), new URL('dist/', root));
}

/** A compiled module is an entry of a worker thread as it is. */
export const threadBeside = moduleBeside;

/** The path of a compiled module. */
export const compiledPath = (path: string): string =>
  fileURLToPath(new URL(path.replace(/\.ts$/, '.js'), new URL('dist/', root)));
