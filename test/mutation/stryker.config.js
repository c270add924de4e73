import { fileURLToPath } from 'node:url';

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const tests = (process.env.MUTATION_TESTS ?? 'test/unit').split(',');
const runner = process.env.MUTATION_RUNNER ?? 'quick';

/** Read by `test/mutation/main.ts`, which says which tests run. @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: runner,
  testRunnerNodeArgs: [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--conditions=development',
  ],
  coverageAnalysis: 'perTest',
  concurrency: 1,
  // A busy machine must not end a run that is only slow, because that would count as killed.
  timeoutMS: 30_000,
  timeoutFactor: 3,
  // Stryker would read tsconfig.json with the compiler's API, which TypeScript 7 does not have.
  tsconfigFile: 'none.json',
  disableTypeChecks: false,
  tempDirName: process.env.MUTATION_SANDBOX,
  ignorePatterns: ['dist', 'docs'],
  plugins: [
    runner === 'quick' ? pathOf('quick/runner.js') : '@stryker-mutator/jest-runner',
    pathOf('survivors.js'),
  ],
  reporters: ['survivors'],
  // A mutant may end the process that runs the tests, which Stryker reports at length.
  logLevel: 'error',
  ...(runner === 'jest' && { jest: jestOptions() }),
};

function jestOptions() {
  return {
    projectType: 'custom',
    configFile: 'jest.config.js',
    enableFindRelatedTests: false,
    config: {
      testMatch: tests.map((path) =>
        path.endsWith('.ts') ? `<rootDir>/${path}` : `<rootDir>/${path}/**/*.test.ts`,
      ),
      maxWorkers: 1,
      reporters: [],
      setupFiles: ['<rootDir>/test/mutation/noShrinking.ts'],
      testSequencer: pathOf('likelyFirst.cjs'),
    },
  };
}
