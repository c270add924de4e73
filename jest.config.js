import { availableParallelism } from 'node:os';

// What tests start may inherit this: none of it writes into the home of whoever runs them.
process.env.STATE_DIR = 'none';
// A warning of the AWS SDK about old versions of Node.js, once for every test file.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** @type {import('jest').Config} */
export default {
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  setupFilesAfterEnv: ['<rootDir>/test/support/endOfFile.ts'],
  globalSetup: '<rootDir>/test/support/compileSources.ts',
  moduleNameMapper: {
    '^\\.{1,2}/(.*/)?moduleBeside\\.js$': '<rootDir>/test/support/compiledModules.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testEnvironmentOptions: { customExportConditions: ['development', 'node', 'node-addons'] },
  testSequencer: '<rootDir>/test/support/longestFirst.js',
  // For a test that hangs, later than what tests wait for. On a busy machine the longest ones take minutes.
  testTimeout: 600_000,
  // Jest's half second is too short for the end of a process on a busy machine. One that leaks is still told.
  workerGracefulExitTimeout: 60_000,
  // Most tests wait for servers, timers and processes: four workers for each core are not too many.
  maxWorkers: 4 * availableParallelism(),
  // Every test imports what it uses.
  injectGlobals: false,
  reporters: ['default', '<rootDir>/test/support/closingLineReporter.js'],
};
