import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** Keeps Chromium from contacting other hosts. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
];

/** For a test that fails. Playwright's own half minute is too short on a busy machine. */
export const patienceMs = 120_000;

/** Launches the system's Chromium, headless. The caller must close it. */
export function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    timeout: patienceMs,
    args: [...quiet, ...more, ...(isRoot ? ['--no-sandbox'] : [])],
  });
}

/** Opens a page and collects its errors, including violations of the Content-Security-Policy. */
export async function openPage(context: BrowserContext, url: string) {
  context.setDefaultTimeout(patienceMs);
  const page: Page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors };
}
