import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { variables } from '../../../server/config/variables.js';
import { checkTimes } from '../../../server/dependencies/checkTimes.js';
import { defaultTimeouts } from '../../../server/redis/redisChannels.js';

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

test('the documented intervals in which dependencies are asked are those of the code', async () => {
  const text = await readFile(deploy, 'utf8');
  const { table, dns, ecs } = checkTimes;
  const { pingEveryMs, answerWithinMs } = defaultTimeouts;
  const seconds = (ms: number) => `${ms / 1000} s`;
  expect(text).toContain(
    `send a \`PING\` every ${seconds(pingEveryMs)}, which must be answered within ${seconds(answerWithinMs)}.`,
  );
  expect(table.everyMs).toBe(dns.everyMs);
  expect(text).toContain(
    `Tables and DNS are asked ${seconds(table.everyMs)} after each answer, ECS ${seconds(ecs.everyMs)} after it. They have ${seconds(table.deadlineMs)}, ${seconds(dns.deadlineMs)} and ${seconds(ecs.deadlineMs)} to answer.`,
  );
});
