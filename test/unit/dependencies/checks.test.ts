import { afterEach, expect, test } from '@jest/globals';
import { type Check, Checks } from '../../../server/dependencies/checks.js';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import { eventually } from '../../support/eventually.js';

const open: Checks[] = [];
afterEach(() => {
  for (const checks of open.splice(0)) checks.close();
});

function started(ask: Check['ask'], more: Partial<Check> = {}) {
  const dependencies = new Dependencies(Date.now);
  const checks = new Checks();
  open.push(checks);
  const dependency = dependencies.add('redis', 'a:1');
  const causeOf = (error: unknown) => (error as Error).message;
  checks.start({ dependency, ask, causeOf, times: { everyMs: 1, deadlineMs: 3000 }, ...more });
  const report = () => dependencies.reports()[0];
  return { checks, report };
}

test('a dependency is asked again and again', async () => {
  const answers = [() => Promise.resolve(), () => Promise.reject(new Error('down'))];
  let asked = 0;
  const { report } = started(() => {
    asked += 1;
    return answers[asked % 2]?.() ?? Promise.resolve();
  });
  await eventually(() => expect(report()?.errors).toBeGreaterThan(2));
  await eventually(() => expect(report()?.state).toBe('answers'));
});

test('a missing answer fails at the deadline, aborts the question, and does not end the rounds', async () => {
  const signals: AbortSignal[] = [];
  const hang = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const { report } = started(hang, { times: { everyMs: 1, deadlineMs: 20 } });
  await eventually(() => expect(signals.length).toBeGreaterThan(2));
  expect(report()).toMatchObject({ state: 'fails', cause: 'no answer within 0.02 s' });
  expect(signals[0]?.aborted).toBe(true);
});

test('a check may say what it waits for', async () => {
  const hang = () => new Promise(() => {});
  const { report } = started(hang, {
    times: { everyMs: 1, deadlineMs: 1 },
    lateCause: () => 'no credentials',
  });
  await eventually(() => expect(report()?.cause).toBe('no credentials'));
});

test('nothing is noted after the end', async () => {
  let answer = () => {};
  const { checks, report } = started(() => new Promise<void>((resolve) => (answer = resolve)));
  checks.close();
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect(report()?.state).toBe('unknown');
});
