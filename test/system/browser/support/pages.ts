/** A browser for one test file, and pages that close with each test. */

import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../../../support/eventually.js';
import { startStaged as stage, visits } from '../../../support/stage.js';
import { launchBrowser, openPage } from './browser.js';

/** The settings of a page. */
export interface OpenOptions extends BrowserContextOptions {
  /** Expected errors in the console. Chromium logs each failed request there. */
  allowed?: RegExp;
  /** Runs in the page before its own scripts. */
  init?: () => void;
}

/** Chromium's errors for a service that is down or shutting down. */
export const serviceIsAway =
  /Failed to load resource: (net::ERR_(CONNECTION|EMPTY|INCOMPLETE)|.* status of 503)/;

/** Starts a service with timeouts that suit a machine that also runs a browser. */
export const startStaged: typeof stage = (servers, env, options) =>
  stage(servers, { REQUEST_TIMEOUT_MS: '3000', PROBE_INTERVAL_MS: '500', ...env }, options);

/** Launches a browser for this test file. */
export function useBrowser(args: readonly string[] = []) {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser(args);
  });
  afterAll(() => browser.close());

  /** Opens pages in a new profile. After the test, fails if a page had an unexpected error. */
  async function openContext({ allowed, init, ...options }: OpenOptions = {}) {
    const context = visits(await browser.newContext(options), (it) => it.close());
    if (init) await context.addInitScript(init);
    return async (url: string): Promise<Page> => {
      const { page, errors } = await openPage(context, url);
      visits(errors, async () => {
        expect(errors.filter((error) => !allowed?.test(error))).toEqual([]);
      });
      return page;
    };
  }
  const open = async (url: string, options?: OpenOptions) => (await openContext(options))(url);
  return { open, openContext };
}

/** A value of the strip: `connections`, `rooms`, `servers`, `viewers`, `drift`. Fails with what is shown instead. */
async function stripText(page: Page, item: string): Promise<string | null> {
  const value = page.locator(`[data-item="${item}"] dd`);
  try {
    return await value.textContent({ timeout: 10_000 });
  } catch (error) {
    const shown = (await page.locator('body').textContent()) ?? '';
    throw new Error(`${(error as Error).message}The page shows: ${shown.slice(0, 1000)}`);
  }
}

/** Resolves when the strip shows these values. */
export function untilStrip(page: Page, wanted: Record<string, string | number>): Promise<void> {
  return eventually(async () => {
    for (const [item, text] of Object.entries(wanted))
      expect([item, await stripText(page, item)]).toEqual([item, String(text)]);
  });
}

/** Resolves when the page shows this status: `complete`, `incomplete`, `allDown`. */
export const untilStatus = (page: Page, status: string) =>
  page.locator(`[data-status="${status}"]`).waitFor();

/** Resolves when the page's stream is in this state: `live`, `reconnecting`. */
export const untilStream = (page: Page, kind: string) =>
  page.locator(`[data-stream="${kind}"]`).waitFor();

/** Resolves when the row of a server shows this state. */
export const untilServer = (page: Page, id: string, state: string) =>
  page.locator(`[data-server="${id}"][data-state="${state}"]`).waitFor();
