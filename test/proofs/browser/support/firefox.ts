/** Drives the system's Firefox by WebDriver BiDi. */

import { afterAll, beforeAll, expect } from '@jest/globals';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { eventually } from '../../../support/eventually.js';
import { visits } from '../../../support/stage.js';

/** A tab, and the errors of the page: of scripts, in the console, and requests that failed. */
export interface Tab {
  page: Page;
  errors: string[];
}

/** Launches Firefox for one test file. Tabs are closed after each test. */
export function useFirefox() {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch({
      browser: 'firefox',
      executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
      // The deadlines are those of `eventually`.
      protocolTimeout: 0,
    });
  });
  afterAll(() => browser?.close());
  return {
    open: async (url: string): Promise<Tab> => {
      const page = visits(await browser.newPage(), (it) => it.close());
      const errors = errorsOf(page);
      await page.setViewport({ width: 1280, height: 900 });
      await page.goto(url);
      return { page, errors };
    },
  };
}

function errorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
  });
  return errors;
}

/** Resolves when the texts of the matching elements are these. */
export const untilTexts = (page: Page, selector: string, wanted: readonly string[]) =>
  eventually(async () =>
    expect([selector, await textsOf(page, selector)]).toEqual([selector, wanted]),
  );

/** Resolves when the text of a matching element contains this. */
export const untilText = (page: Page, selector: string, wanted: string) =>
  eventually(async () =>
    expect([selector, (await textsOf(page, selector)).join('\n')]).toEqual([
      selector,
      expect.stringContaining(wanted),
    ]),
  );

const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((it) => it.textContent)`,
  ) as Promise<string[]>;

/** Clicks what has this role and name, when it is there. */
export const click = (page: Page, name: string, role: 'link' | 'button') =>
  page.locator(`::-p-aria([name="${name}"][role="${role}"])`).click();

/** Presses keys one after another. */
export async function press(page: Page, ...keys: Parameters<Page['keyboard']['press']>[0][]) {
  for (const key of keys) await page.keyboard.press(key);
}
