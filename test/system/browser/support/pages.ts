/** A browser for the tests of one file, and pages that end with each test. */

import { afterAll, beforeAll, expect } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { eventually } from '../../../support/eventually.js';
import { startStaged as stage, visits } from '../../../support/stage.js';
import { launchBrowser, openPage } from './browser.js';

/** What is opened, and what may go wrong in it. */
export interface OpenOptions extends BrowserContextOptions {
  /** Errors in the console that belong to the test; Chromium names there each request that fails. */
  allowed?: RegExp;
  /** Runs before anything of the page does. */
  init?: () => void;
}

/** What Chromium says of a service that is away, or about to be. */
export const serviceIsAway =
  /Failed to load resource: (net::ERR_(CONNECTION|EMPTY|INCOMPLETE)|.* status of 503)/;

/** A service as of `startStaged`, with times that a machine keeps which runs a browser beside it. */
export const startStaged: typeof stage = (servers, env, options) =>
  stage(servers, { REQUEST_TIMEOUT_MS: '1500', PROBE_INTERVAL_MS: '500', ...env }, options);

/** Launches a browser for this file, with these arguments of Chromium. */
export function useBrowser(args: readonly string[] = []) {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser(args);
  });
  afterAll(() => browser.close());

  /** Opens pages in a profile of their own, which ends with the test; then none of them may have met an error. */
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

/** A number or word of the line above every view: `connections`, `rooms`, `servers`, `viewers`, `service`, `numbers`. */
export const stripItem = (page: Page, item: string) => page.locator(`[data-item="${item}"] dd`);

/** Resolves when the line above every view says this. */
export function untilStrip(page: Page, wanted: Record<string, string | number>): Promise<void> {
  return eventually(async () => {
    for (const [item, text] of Object.entries(wanted))
      expect([item, await stripItem(page, item).textContent()]).toEqual([item, String(text)]);
  });
}

/** Resolves when the page's own stream is in this state: `live`, `reconnecting`. */
export const untilStream = (page: Page, kind: string) =>
  page.locator(`[data-stream="${kind}"]`).waitFor();

/** Resolves when a server's row is in this state. */
export const untilServer = (page: Page, id: string, state: string) =>
  page.locator(`[data-server="${id}"][data-state="${state}"]`).waitFor();
