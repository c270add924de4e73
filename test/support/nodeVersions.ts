/**
 * Runs Jest with other versions of Node: the unit tests, or what Jest's arguments select.
 * `NODE_VERSIONS="22 24.3.0"` chooses versions. The binaries are packages of the npm registry, and
 * are kept in `node_modules/.cache`: remove `node_modules/.cache/node-versions` to have newer ones.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeOf } from './nodeOf.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The least version that `engines` allows, and the newest of each line in long-term support. */
const versions = (process.env.NODE_VERSIONS ?? '20.19.0 22 24').split(/[\s,]+/).filter(Boolean);

const selection = process.argv.length > 2 ? process.argv.slice(2) : ['test/unit'];

function runJest(node: string): boolean {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const env = {
    ...process.env,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
    // For processes that tests start by the name `node`.
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  };
  const { status } = spawnSync(node, [jest, ...selection], {
    stdio: 'inherit',
    cwd: root,
    env,
  });
  return status === 0;
}

const failed = versions.filter((version) => {
  const node = nodeOf(version);
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  process.stdout.write(`\nNode ${stdout}`);
  return !runJest(node);
});
process.stdout.write(
  failed.length === 0
    ? `passed with Node ${versions.join(', ')}\n`
    : `FAILED with Node ${failed.join(', ')}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
