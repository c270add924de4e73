import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { variables } from '../../../server/config/variables.js';

const deploy = new URL('../../../docs/deploy.md', import.meta.url);

test('the configuration table in docs/deploy.md is the list of variables', async () => {
  const text = await readFile(deploy, 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith('Configuration\n')) ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \| (.+?) \| (.+) \|$/gm)].map(
    ([, name, shown = '', meaning]) => ({ name, default: shown.replaceAll('`', ''), meaning }),
  );
  expect(rows).toEqual(
    variables.map(({ name, shown, meaning }) => ({ name, default: shown, meaning })),
  );
});

test('the documented time until a server is unreachable follows from the defaults', async () => {
  const value = (name: string) => Number(variables.find((v) => v.name === name)?.shown);
  const seconds = (3 * value('PROBE_INTERVAL_MS') + value('REQUEST_TIMEOUT_MS')) / 1000;
  expect(await readFile(deploy, 'utf8')).toContain(`(${seconds} s by default)`);
});
