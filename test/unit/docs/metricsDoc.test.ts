import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { ViewerCounts, viewerStreams } from '../../../server/http/guards/viewerCounts.js';
import { Counts } from '../../../server/metrics/counts.js';
import { histograms, prefix, readMetrics } from '../../../server/metrics/definitions.js';
import { requestKinds } from '../../../server/pubsub/requestMeter.js';

const page = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
const metrics = [...readMetrics, ...histograms];

test('the table in docs/metrics.md is the list of metrics', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| (.+?) \| (\w+) \| (.+) \|$/gm)];
  const listed = metrics.map(({ name, type, labels, scope, help }) => [
    prefix + name,
    type,
    labels.map((label) => `\`${label}\``).join(', ') || 'none',
    scope,
    help,
  ]);
  expect(rows.map(([, ...cells]) => cells)).toEqual(listed);
});

test('docs/metrics.md explains every label that is not explained with its metric, with all of its values', () => {
  const meaningOf = (label: string) =>
    page.split('\n').find((line) => line.startsWith(`| ${label} |`)) ?? '';
  const values: Record<string, readonly string[]> = {
    '`stream`': viewerStreams,
    '`reason` of refused viewers': Object.keys(new ViewerCounts().refused),
    '`reason` of resyncs': Object.keys(new Counts().resyncs),
    '`request`': requestKinds,
  };
  for (const [label, all] of Object.entries(values))
    for (const value of all)
      expect([label, meaningOf(label)]).toEqual([label, expect.stringContaining(`\`${value}\``)]);
});

test('names follow the conventions of Prometheus', () => {
  for (const { name, type } of metrics) {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect([name, type === 'counter']).toEqual([name, name.endsWith('_total')]);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});
