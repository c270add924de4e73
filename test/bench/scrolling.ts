import type { Browser, Page } from 'playwright-core';
import { type Frame, framesOf, percentile, type TraceEvent } from './frames.js';

/** Tasks, and the frames that they draw. */
const categories = ['devtools.timeline', 'disabled-by-default-devtools.timeline'];

/** As much as one turns a wheel in a moment. */
const stepPixels = 100;

/** What to scroll. */
export interface Scroll {
  /** The element under the mouse. */
  selector: string;
  /** How often the wheel is turned, by 100 pixels. A frame is waited for after each time. */
  steps: number;
}

/** What scrolling took of the main thread, in milliseconds a frame. */
export interface Scrolled {
  frames: number;
  p50: number;
  p95: number;
  p99: number;
  worst: number;
  /** Of the time from the beginning to the end of tasks: with what other processes took. */
  wallP99: number;
}

/** Scrolls by the wheel, and takes a trace meanwhile. */
export async function scrolled(browser: Browser, page: Page, scroll: Scroll): Promise<Scrolled> {
  const { selector, steps } = scroll;
  const box = await page.locator(selector).first().boundingBox();
  if (!box) throw new Error(`nothing to scroll: ${selector}`);
  const session = await page.context().newCDPSession(page);
  const size = page.viewportSize() ?? { width: 0, height: 0 };
  await browser.startTracing(page, { categories });
  const at = {
    x: Math.round(box.x + box.width / 2),
    y: Math.round(Math.min(box.y + box.height, size.height) - 100),
  };
  const wheel = { type: 'mouseWheel', ...at, deltaX: 0, deltaY: stepPixels } as const;
  const frame = { expression: 'new Promise(requestAnimationFrame)', awaitPromise: true };
  for (let step = 0; step < steps; step += 1) {
    await session.send('Input.dispatchMouseEvent', wheel);
    await session.send('Runtime.evaluate', frame);
  }
  const trace = String(await browser.stopTracing());
  await session.detach();
  const { traceEvents } = JSON.parse(trace) as { traceEvents: TraceEvent[] };
  const frames = framesOf(traceEvents);
  if (frames.length < steps / 2) throw new Error(`${frames.length} frames for ${steps} steps`);
  return summaryOf(frames);
}

function summaryOf(frames: readonly Frame[]): Scrolled {
  const cpu = frames.map(({ cpuMs }) => cpuMs);
  const wall = frames.map(({ wallMs }) => wallMs);
  return {
    frames: frames.length,
    p50: percentile(cpu, 50),
    p95: percentile(cpu, 95),
    p99: percentile(cpu, 99),
    worst: percentile(cpu, 100),
    wallP99: percentile(wall, 99),
  };
}
