/** Runs one test file at a time with Jest's own test runner, matchers and fake timers, in this process. */
import { createRequire } from 'node:module';
import { createModules } from './modules.js';

const require = createRequire(createRequire(import.meta.url).resolve('jest-circus'));
const circus = require('jest-circus');
const { expect } = require('expect');
const { ModuleMocker } = require('jest-mock');
const { ModernFakeTimers } = require('@jest/fake-timers');

/** For a test that hangs. */
const testTimeoutMs = 5000;
const never = /^\b$/;

const timers = new ModernFakeTimers({ global: globalThis, config: { fakeTimers: {} } });
const mocker = new ModuleMocker(globalThis);
const { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } = circus;
const jest = new Proxy(timers, {
  get: (_, name) => {
    const owner = name in mocker ? mocker : timers;
    const value = owner[name];
    return typeof value === 'function' ? value.bind(owner) : value;
  },
});
const globals = { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest, test };

/** Errors that nobody catches belong to the test that they come from, even if it has ended. */
export function takeUncaughtErrors() {
  const note = (error, promise) => {
    const event = { name: 'error', error, ...(promise && { promise }) };
    for (const handle of globalThis[Symbol.for('EVENT_HANDLERS')]) handle(event, circus.getState());
  };
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => note(error));
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
}

/**
 * Runs a file and returns its tests: `name`, `errors`, `ms`. `isWanted`: whether the test of a name runs; undefined: all
 * do. `onTest`: a test of this name begins, or none runs (undefined). `bails`: the first failure ends the run.
 */
export async function runFile(path, { isWanted, onTest = () => {}, bails }) {
  circus.resetState();
  const state = circus.getState();
  state.testTimeout = testTimeoutMs;
  try {
    createModules(globals)(path);
  } catch (error) {
    return { results: [{ name: '(loading)', errors: [error], ms: 0 }] };
  }
  const tests = testsIn(state.rootDescribeBlock);
  const hasAfterAll = blocksIn(state.rootDescribeBlock).some(({ hooks }) =>
    hooks.some(({ type }) => type === 'afterAll'),
  );
  // What is checked after all tests depends on all of them.
  if (isWanted && !hasAfterAll)
    for (const each of tests) if (!isWanted(nameOf(each))) each.mode = 'skip';
  const follow = (event) => {
    if (event.name === 'test_start') onTest(nameOf(event.test));
    if (event.name !== 'test_done') return;
    onTest(undefined);
    if (bails && event.test.errors.length > 0) state.testNamePattern = never;
  };
  circus.addEventHandler(follow);
  try {
    const { unhandledErrors } = await circus.run();
    const ran = tests.filter(({ status }) => status === 'done');
    const results = ran.map((each) => ({
      name: nameOf(each),
      errors: each.errors,
      ms: each.duration ?? 0,
    }));
    if (unhandledErrors.length > 0)
      results.push({ name: '(outside of tests)', errors: unhandledErrors, ms: 0 });
    return { results };
  } finally {
    circus.removeEventHandler(follow);
    timers.useRealTimers();
    mocker.restoreAllMocks();
  }
}

function blocksIn(block) {
  const children = block.children.filter(({ type }) => type === 'describeBlock');
  return [block, ...children.flatMap(blocksIn)];
}

const testsIn = (block) =>
  block.children.flatMap((child) => (child.type === 'test' ? [child] : testsIn(child)));

function nameOf(test) {
  const names = [];
  for (let at = test; at.parent; at = at.parent) names.unshift(at.name);
  return names.join(' ');
}
