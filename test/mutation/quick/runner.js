/**
 * A test runner for Stryker that keeps everything in one process: a mutant costs milliseconds, not a start of Jest.
 * For tests without processes, threads and replaced modules.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import {
  DryRunStatus,
  determineHitLimitReached,
  MutantRunStatus,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { runFile, takeUncaughtErrors } from './harness.js';

/** Where the instrumented sources look which mutant is active, and note which they reach. */
globalThis.__stryker__ = {};
const stryker = globalThis.__stryker__;

class QuickRunner {
  #files = [];
  /** The file that killed the last mutant: neighboring mutants fail in the same tests. */
  #first;
  /** How long the tests of each file took last. */
  #ms = new Map();

  capabilities() {
    return { reloadEnvironment: true };
  }

  init() {
    this.#files = (process.env.MUTATION_TESTS ?? '').split(',').flatMap(testFilesIn);
    takeUncaughtErrors();
    createRequire(import.meta.url)('fast-check').configureGlobal({ endOnFailure: true });
  }

  async dryRun() {
    stryker.mutantCoverage = { static: {}, perTest: {} };
    const tests = [];
    for (const file of this.#files) {
      const onTest = (name) => {
        stryker.currentTestId = name && idOf(file, name);
      };
      const results = await this.#run(file, { onTest });
      tests.push(...results.map((result) => toTest(file, result)));
    }
    return { status: DryRunStatus.Complete, tests, mutantCoverage: stryker.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, disableBail, hitLimit }) {
    const wanted = testFilter && new Set(testFilter);
    Object.assign(stryker, { activeMutant: activeMutant.id, hitLimit, hitCount: hitLimit && 0 });
    stryker.mutantCoverage = { static: {}, perTest: {} };
    const tests = await this.#runUntilFailure(this.#order(wanted), wanted, !disableBail);
    const endless = determineHitLimitReached(stryker.hitCount, stryker.hitLimit);
    stryker.activeMutant = undefined;
    const killer = tests.find(isFailed);
    if (killer && !endless && !(await this.#passesAlone(killer)))
      return { status: MutantRunStatus.Error, errorMessage: `fails by itself: ${killer.id}` };
    return toMutantRunResult(endless ?? { status: DryRunStatus.Complete, tests }, disableBail);
  }

  async #runUntilFailure(files, wanted, bails) {
    const tests = [];
    for (const file of files) {
      const isWanted = wanted && ((name) => wanted.has(idOf(file, name)));
      const results = await this.#run(file, { isWanted, bails });
      const ran = results.map((result) => toTest(file, result));
      tests.push(...ran);
      if (!ran.some(isFailed)) continue;
      this.#first = file;
      if (bails) break;
    }
    return tests;
  }

  async #run(file, options) {
    const { results } = await runFile(file, options);
    const ms = results.reduce((sum, each) => sum + each.ms, 0);
    this.#ms.set(file, Math.max(ms, this.#ms.get(file) ?? 0));
    return results;
  }

  /** Whether a test that failed passes without the mutant. Else the machine, or an earlier mutant, made it fail. */
  async #passesAlone({ id, fileName }) {
    const isWanted = (name) => idOf(fileName, name) === id;
    const { results } = await runFile(fileName, { isWanted, bails: true });
    return !results.some(({ errors }) => errors.length > 0);
  }

  #order(wanted) {
    // After a mutant that ran for ever, Stryker starts this again: nothing is known of the first run.
    const ids = wanted && [...wanted];
    const files = this.#files.filter(
      (file) => ids?.some((id) => id.startsWith(idOf(file, ''))) ?? true,
    );
    const msOf = (file) => (file === this.#first ? -1 : (this.#ms.get(file) ?? 0));
    return files.sort((a, b) => msOf(a) - msOf(b));
  }
}

/** A file, or all tests of a folder that need no Jest. */
function testFilesIn(path) {
  if (path.endsWith('.ts')) return [resolve(path)];
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => resolve(join(path, name)))
    .filter((file) => !readFileSync(file, 'utf8').includes('unstable_mockModule'));
}

const isFailed = ({ status }) => status === TestStatus.Failed;

const idOf = (file, name) => `${file} ${name}`;

function toTest(fileName, { name, errors, ms }) {
  const id = idOf(fileName, name);
  const result = { id, name: id, fileName, timeSpentMs: ms, status: TestStatus.Success };
  if (errors.length === 0) return result;
  const [first] = errors.flat();
  return { ...result, status: TestStatus.Failed, failureMessage: String(first?.stack ?? first) };
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'quick', injectableClass: QuickRunner }];
