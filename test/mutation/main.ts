/**
 * Changes sources in small ways (mutants) and looks for a test that fails: `npm run mutate -- machines/`.
 * See docs/internals/mutation.md.
 */
import { spawn } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3600' },
    tests: { type: 'string' },
    jest: { type: 'boolean', default: false },
  },
});
if (positionals.length === 0) {
  process.stderr.write(
    'npm run mutate -- <folder or file[:line-line]>… [--seconds 600] [--tests test/unit/machines,…] [--jest]\n',
  );
  process.exit(2);
}

const isFolder = (path: string) => existsSync(join(root, path)) && statSync(path).isDirectory();
const mutate = positionals.map((path) =>
  isFolder(path) ? `${path.replace(/\/$/, '')}/**/*.ts` : path,
);

/** The unit tests beside a source: test/unit/sse for server/sse/feed.ts. */
function testsBeside(path: string): string {
  const folders = path.replace(/^server\//, '').split('/');
  while (folders.length > 0 && !isFolder(join('test/unit', ...folders))) folders.pop();
  return join('test/unit', ...folders);
}
const tests = values.tests?.split(',') ?? [...new Set(positionals.map(testsBeside))];

const sandbox = join(tmpdir(), `pubsub-dashboard-mutation-${process.pid}`);
const stryker = join(root, 'node_modules/@stryker-mutator/core/bin/stryker.js');
// A process group of its own, which ends as a whole when the time is over.
const child = spawn(
  process.execPath,
  [stryker, 'run', 'test/mutation/stryker.config.js', '--mutate', mutate.join(',')],
  {
    cwd: root,
    stdio: 'inherit',
    detached: true,
    env: {
      ...process.env,
      MUTATION_TESTS: tests.join(','),
      MUTATION_SANDBOX: sandbox,
      MUTATION_RUNNER: values.jest ? 'jest' : 'quick',
    },
  },
);
const end = () => {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
};
process.once('SIGINT', end).once('SIGTERM', end);
const timer = setTimeout(() => {
  process.stdout.write(`stopped after ${values.seconds} s\n`);
  end();
}, Number(values.seconds) * 1000);
child.once('exit', (code) => {
  clearTimeout(timer);
  rmSync(sandbox, { recursive: true, force: true });
  process.exitCode = code ?? 1;
});
