import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { histograms, prefix, readMetrics } from '../../../server/metrics/definitions.js';
import { queriesOf } from '../../proofs/deploy/support/dashboard.js';

const docs = new URL('../../../docs/', import.meta.url);
const read = (path: string) => readFile(new URL(path, docs), 'utf8');
const rules: { groups: { rules: Rule[] }[] } = parse(await read('deploy/chart/rules.yml'));
const alerts = rules.groups.flatMap((group) => group.rules);
const queries = queriesOf(await read('deploy/grafana-dashboard.json'));

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
}

test('the table in docs/monitor.md is the list of alert rules', async () => {
  const rows = [...(await read('monitor.md')).matchAll(/^\| `(Pubsub\w+)` \| (\w+) \| (.+?) \|/gm)];
  expect(rows.map(([, ...cells]) => cells)).toEqual(
    alerts.map((rule) => [rule.alert, rule.labels.severity, rule.for ?? 'at once']),
  );
});

test('alert rules and the Grafana dashboard use metrics and labels that the service has', () => {
  const known = new Map<string, readonly string[]>();
  for (const { name, labels } of readMetrics) known.set(prefix + name, labels);
  for (const { name, labels } of histograms)
    for (const suffix of ['bucket', 'count', 'sum'])
      known.set(`${prefix}${name}_${suffix}`, suffix === 'bucket' ? [...labels, 'le'] : labels);
  const ofPrometheus = ['job', 'instance'];
  const expressions = [...queries, ...alerts.map(({ expr }) => expr)];
  for (const expr of expressions)
    for (const [, name = '', selector = ''] of expr.matchAll(/(pubsubdash_\w+)(?:\{([^}]*)\})?/g)) {
      expect([expr, known.has(name)]).toEqual([expr, true]);
      const asked = [...selector.matchAll(/(\w+)=/g)].map(([, label = '']) => label);
      const labels = [...ofPrometheus, ...(known.get(name) ?? [])];
      expect([expr, asked.filter((label) => !labels.includes(label))]).toEqual([expr, []]);
    }
});

test('every metric of the service is on the Grafana dashboard', () => {
  const text = queries.join('\n');
  const missing = [...readMetrics, ...histograms]
    .map(({ name }) => prefix + name)
    // Shown as what they are made of, or only in alerts.
    .filter((name) => !text.includes(name) && !name.endsWith('activation_state'));
  expect(missing).toEqual([]);
});
