import { afterEach, expect, test } from '@jest/globals';
import { type Check, Checks, type ChecksOptions } from '../../../server/dependencies/checks.js';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import { eventually } from '../../support/eventually.js';
import { HandClock } from '../../support/handClock.js';

const open: Checks[] = [];
afterEach(() => {
  for (const checks of open.splice(0)) checks.close();
});

function started(ask: Check['ask'], more: Partial<Check> = {}, options: ChecksOptions = {}) {
  const dependencies = new Dependencies(Date.now);
  const checks = new Checks(options);
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

test('a failure over a pause of the service is not told, and the question is repeated at once', async () => {
  let pauses = 0;
  let asked = 0;
  const ask = () => {
    asked += 1;
    // The process is paused during the first question only.
    if (asked === 1) pauses += 1;
    return asked === 2 ? new Promise(() => {}) : Promise.reject(new Error('down'));
  };
  const times = { everyMs: 3_600_000, deadlineMs: 3_600_000 };
  const { report } = started(ask, { times }, { pauses: () => pauses });
  await eventually(() => expect(asked).toBe(2));
  expect(report()).toMatchObject({ state: 'unknown', errors: 0 });
});

test('nothing is noted after the end', async () => {
  let answer = () => {};
  const { checks, report } = started(() => new Promise<void>((resolve) => (answer = resolve)));
  checks.close();
  answer();
  await new Promise((resolve) => setImmediate(resolve));
  expect(report()?.state).toBe('unknown');
});

test('closing ends the open question, and no other begins', async () => {
  const signals: AbortSignal[] = [];
  const ask = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const { checks, report } = started(ask);
  expect(signals[0]?.aborted).toBe(false);
  checks.close();
  expect(signals[0]?.aborted).toBe(true);
  const dependency = new Dependencies(Date.now).add('late', 'b:1');
  checks.start({ dependency, ask, causeOf: String, times: { everyMs: 1, deadlineMs: 1 } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(signals).toHaveLength(1);
  expect(report()?.state).toBe('unknown');
});

test('a question that fails in time has its own cause, and leaves nothing behind', async () => {
  const clock = new HandClock();
  const checks = new Checks({ clock });
  const dependencies = new Dependencies(Date.now);
  const dependency = dependencies.add('redis', 'a:1');
  const causeOf = (error: unknown) => (error as Error).message;
  const ask = () => Promise.reject(new Error('down'));
  checks.start({ dependency, ask, causeOf, times: { everyMs: 10, deadlineMs: 1000 } });
  await new Promise((resolve) => setImmediate(resolve));
  expect(dependencies.reports()).toMatchObject([{ state: 'fails', cause: 'down' }]);
  // The next question alone.
  expect(clock.pending).toBe(1);
  checks.close();
  expect(clock.pending).toBe(0);
});
