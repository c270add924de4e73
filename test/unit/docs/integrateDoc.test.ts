import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const read = (path: string) =>
  readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8');

/** The examples, which `test/proofs/hosts/examples.test.ts` runs. */
const page = read('integrate.md');
const [servers = ''] = page.split('\n## Programs and pages');

test('the servers in docs/integrate.md are the examples that are run', () => {
  const shown = [...servers.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  const files = ['y-websocket-server', 'hocuspocus', 'y-socket.io'];
  expect(shown).toEqual(files.map((name) => read(`examples/${name}.mjs`)));
});
