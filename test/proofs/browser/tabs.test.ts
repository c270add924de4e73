import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { eventually } from '../../support/eventually.js';
import { startDouble, stateOf, untilState } from '../../support/stage.js';
import {
  startStaged,
  untilStream,
  untilStrip,
  useBrowser,
} from '../../system/browser/support/pages.js';

const browser = useBrowser();

interface Throttle {
  isThrottled: boolean;
  shiftMs: number;
  runIntervals: () => void;
}

/** Simulates a hidden tab without shared workers: the test controls its intervals. */
function throttle(): void {
  const scope = globalThis as unknown as Record<string, unknown> & { throttle: Throttle };
  Reflect.deleteProperty(scope, 'SharedWorker');
  const running = new Map<unknown, () => void>();
  const control = {
    isThrottled: false,
    shiftMs: 0,
    runIntervals: () => {
      for (const run of running.values()) run();
    },
  };
  scope.throttle = control;
  const { setInterval: begin, clearInterval: end } = globalThis;
  scope.setInterval = (run: () => void, ms: number) => {
    const id = begin(() => control.isThrottled || run(), ms);
    running.set(id, run);
    return id;
  };
  scope.clearInterval = (id: ReturnType<typeof begin>) => {
    running.delete(id);
    end(id);
  };
  const [dateNow, now] = [Date.now.bind(Date), performance.now.bind(performance)];
  Date.now = () => dateNow() + control.shiftMs;
  performance.now = () => now() + control.shiftMs;
}

test('ten tabs all work and are one viewer until the last is closed', async () => {
  const double = await startDouble();
  double.rooms.set('a', 2);
  const service = await startStaged([double]);
  const open = await browser.openContext();
  const tabs: Page[] = [];
  for (let i = 0; i < 10; i += 1) tabs.push(await open(service.url));
  for (const tab of tabs) await untilStrip(tab, { connections: 2, viewers: 1 });

  await double.open('b');
  for (const tab of tabs) await untilStrip(tab, { connections: 3, rooms: 2 });
  expect(await stateOf(service)).toMatchObject({ viewers: 1, detail: 'watched' });

  const [last, ...others] = tabs;
  await Promise.all(others.map((tab) => tab.close()));
  await double.open('c');
  if (last) await untilStrip(last, { connections: 4, rooms: 3 });
  expect(await stateOf(service)).toMatchObject({ viewers: 1 });

  await last?.close();
  await eventually(async () => expect(await stateOf(service)).toMatchObject({ viewers: 0 }));
  await untilState(service, 'inactive');
  expect(double.active).toBe(false);
});

test('a hidden tab keeps its stream while its timers are throttled', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  const page = await browser.open(service.url, { init: throttle });
  await untilStream(page, 'live');
  let streams = 0;
  page.on('request', (request) => {
    if (request.url().includes('api/events')) streams += 1;
  });
  for (let minutes = 1; minutes <= 4; minutes += 1) {
    await page.evaluate('throttle.isThrottled = true; throttle.shiftMs += 60_000; undefined');
    await double.open('a');
    await untilStrip(page, { connections: minutes });
    await page.evaluate('throttle.runIntervals()');
  }
  await double.open('a');
  await untilStrip(page, { connections: 5 });
  expect(streams).toBe(0);
});

test('a silent hub is replaced by another', async () => {
  const service = await startStaged([await startDouble()]);
  const page = await browser.open(service.url, {
    init: () => {
      Reflect.deleteProperty(globalThis, 'SharedWorker');
      const { postMessage } = MessagePort.prototype;
      // Simulates a dead hub: it sends no more messages.
      MessagePort.prototype.postMessage = function post(this: unknown, message: unknown) {
        const isPing = (message as { type?: string }).type === 'ping';
        if (!isPing) Reflect.apply(postMessage, this, [message]);
      };
    },
  });
  await untilStream(page, 'live');
  let streams = 0;
  page.on('request', (request) => {
    if (request.url().includes('api/events')) streams += 1;
  });
  await eventually(() => expect(streams).toBeGreaterThan(0));
});

test('a tab that navigates away leaves, and is live again when it returns', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  const page = await browser.open(service.url);
  await untilStream(page, 'live');
  await page.goto('about:blank');
  await untilState(service, 'inactive');
  await page.goBack();
  await untilStream(page, 'live');
  await untilStrip(page, { viewers: 1 });
});
