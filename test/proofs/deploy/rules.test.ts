import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { queriesOf } from './support/dashboard.js';
import { deployFile, deployPath } from './support/files.js';
import { run } from './support/run.js';

const folder = await mkdtemp(join(tmpdir(), 'rules-'));
afterAll(() => rm(folder, { recursive: true }));

interface Rules {
  groups: { rules: { alert: string }[] }[];
}

const rules: Rules = parse(await deployFile('chart/rules.yml'));
const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));

/** The unit tests of the rules, for promtool. */
const unitTests = fileURLToPath(new URL('alerts.yaml', import.meta.url));

test('the alert rules are valid, and do what their unit tests say', async () => {
  const checked = await run('promtool', ['check', 'rules', deployPath('chart/rules.yml')]);
  expect(checked).toEqual({ code: 0, text: expect.stringContaining(`${alerts.length} rules`) });
  const tested = await run('promtool', ['test', 'rules', unitTests]);
  expect(tested).toEqual({ code: 0, text: expect.stringContaining('SUCCESS') });
});

test('each alert rule has a unit test in which it fires, and one in which it does not', async () => {
  const { tests } = parse(await readFile(unitTests, 'utf8'));
  const cases: { alertname: string; exp_alerts: unknown[] }[] = tests.flatMap(
    (it: { alert_rule_test: unknown[] }) => it.alert_rule_test,
  );
  const names = (fires: boolean) =>
    new Set(
      cases.filter((it) => it.exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
    );
  expect([...names(true)].sort()).toEqual([...alerts].sort());
  expect([...names(false)].sort()).toEqual([...alerts].sort());
});

test('the configuration of Prometheus is valid, and reads the rules beside it', async () => {
  for (const path of ['prometheus/prometheus.yml', 'chart/rules.yml'])
    await copyFile(deployPath(path), join(folder, basename(path)));
  await writeFile(join(folder, 'token'), 'a-token');
  const checked = await run('promtool', ['check', 'config', join(folder, 'prometheus.yml')]);
  expect(checked).toEqual({ code: 0, text: expect.stringContaining('1 rule files found') });
});

test('every query of the Grafana dashboard is valid PromQL', async () => {
  const queries = queriesOf(await deployFile('grafana-dashboard.json'));
  const file = join(folder, 'queries.yml');
  const recorded = queries.map((expr, i) => ({ record: `query:${i}`, expr }));
  await writeFile(file, stringify({ groups: [{ name: 'queries', rules: recorded }] }));
  const checked = await run('promtool', ['check', 'rules', file]);
  expect(checked).toEqual({ code: 0, text: expect.stringContaining(`${queries.length} rules`) });
});
