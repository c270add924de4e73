/** Waits for content of a page, and checks its accessibility. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect } from '@jest/globals';
import type { AxeResults, RuleObject, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { eventually } from '../../../support/eventually.js';

/** For a busy machine. */

/** Resolves when the text of matching elements contains this. */
export async function untilText(page: Page, selector: string, text: string | RegExp) {
  await eventually(async () => {
    const texts = await page.locator(selector).allTextContents();
    expect(texts.join('\n')).toMatch(text instanceof RegExp ? text : literally(text));
  });
}

/** Resolves when this many elements match. */
export const untilCount = (page: Page, selector: string, count: number) =>
  eventually(async () =>
    expect([selector, await page.locator(selector).count()]).toEqual([selector, count]),
  );

const literally = (text: string) => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

interface AxeScope {
  axe: { run(options: RunOptions): Promise<AxeResults> };
}

/** Serious and critical findings of axe. `rules`: those that it does not check by itself. */
export async function seriousFindings(page: Page, rules: RuleObject = {}): Promise<string[]> {
  // Through the debugger, because the page's policy blocks added scripts.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(
    (options) => (globalThis as unknown as AxeScope).axe.run(options),
    { rules },
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
}

/** Horizontal overflow of the page in pixels. */
export const overhang = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = (
      globalThis as unknown as {
        document: { documentElement: { scrollWidth: number; clientWidth: number } };
      }
    ).document.documentElement;
    return scrollWidth - clientWidth;
  });
