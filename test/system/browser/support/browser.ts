import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** What keeps Chromium from talking to anybody but the service under test. */
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  '--no-pings',
];

/** The system's Chromium, headless, with these arguments beside ours; whoever launches it closes it. */
export function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...quiet, ...more, ...(isRoot ? ['--no-sandbox'] : [])],
  });
}

/** A page whose errors, and refusals of its Content-Security-Policy, are gathered. */
export async function openPage(context: BrowserContext, url: string) {
  const page: Page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors };
}
