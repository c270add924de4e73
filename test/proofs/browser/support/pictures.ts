/** Takes pictures of a page in both themes, on a desktop and on a phone, and checks what it sees. */

import type { Page } from 'playwright-core';
import { overhang, seriousFindings } from '../../../system/browser/support/looks.js';
import { screenshot } from '../../../system/browser/support/screenshots.js';

export interface Look {
  theme: 'light' | 'dark';
  device: keyof typeof sizes;
}

const sizes = {
  desktop: { width: 1280, height: 860 },
  phone: { width: 390, height: 844 },
};

export const everyLook: readonly Look[] = [
  { theme: 'light', device: 'desktop' },
  { theme: 'dark', device: 'desktop' },
  { theme: 'light', device: 'phone' },
  { theme: 'dark', device: 'phone' },
];

/** One theme, and the narrow screen on which things do not fit. */
export const quickLooks: readonly Look[] = [{ theme: 'light', device: 'phone' }];

/** Takes the pictures, and returns what is wrong: findings of axe, and what is wider than the screen. */
export async function look(page: Page, name: string, looks: readonly Look[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { theme, device } of looks) {
    const title = `${name}-${device}-${theme}`;
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.setViewportSize(sizes[device]);
    await page.evaluate(untilStill);
    await screenshot(page, title);
    const over = await overhang(page);
    if (over > 0) problems.push(`${title}: ${over} px wider than the screen`);
    const findings = await seriousFindings(page, { 'target-size': { enabled: true } });
    problems.push(...findings.map((finding) => `${title}: ${finding}`));
  }
  return problems;
}

/** Runs in the page: resolves when nothing has changed for some frames, or when something always changes. */
const untilStill = `new Promise((resolve) => {
  let [frames, still] = [0, 0];
  const watcher = new MutationObserver(() => { still = 0; });
  watcher.observe(document.documentElement, { subtree: true, childList: true, attributes: true });
  const next = () => {
    frames += 1;
    still += 1;
    if (still < 15 && frames < 120) return requestAnimationFrame(next);
    watcher.disconnect();
    resolve();
  };
  next();
})`;
