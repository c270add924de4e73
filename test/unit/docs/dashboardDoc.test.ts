import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { type Dashboard, queriesOf } from '../../proofs/deploy/support/dashboard.js';

const json = await readFile(
  new URL('../../../docs/deploy/grafana-dashboard.json', import.meta.url),
  'utf8',
);
const { panels, templating } = JSON.parse(json) as Dashboard;

test('panels of the Grafana dashboard have ids of their own and do not overlap', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});

test('the Grafana dashboard asks the chosen data source for the chosen job', () => {
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job']);
  const targets = panels.flatMap((panel) => panel.targets ?? []);
  expect(targets.length).toBeGreaterThan(30);
  for (const { expr, datasource } of targets) {
    expect(datasource.uid).toMatch(/^\$\{datasource\}$/);
    const selectors = [...expr.matchAll(/\b(?:pubsubdash|process|nodejs)_\w+(\S{0,12})/g)];
    expect([expr, selectors.length > 0]).toEqual([expr, true]);
    for (const [, after] of selectors)
      expect([expr, after]).toEqual([expr, expect.stringMatching(/^\{job="\$job"/)]);
  }
  expect(queriesOf(json).join()).not.toContain('$');
});
