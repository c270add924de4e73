/**
 * Sees to the programs that tests need beside npm's packages: found on the PATH, or installed with
 * Debian's package manager when this process may, or else named with the line that installs them.
 */
import { spawnSync } from 'node:child_process';

const tools = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'chromium', package: 'chromium' },
];

const isThere = (program) =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
const run = (command, args) =>
  spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  }).status === 0;

const missing = tools.filter(({ program }) => !isThere(program));
if (missing.length > 0) {
  const packages = missing.map((tool) => tool.package);
  const mayInstall = process.getuid?.() === 0 && isThere('apt-get');
  if (mayInstall) {
    process.stdout.write(`installing ${packages.join(', ')} for the tests\n`);
    run('apt-get', ['update', '-qq']);
    // The tests start servers of their own: none is to be started by the package.
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  }
  const stillMissing = missing.filter(({ program }) => !isThere(program));
  if (stillMissing.length > 0) {
    const names = stillMissing.map(({ program }) => program).join(', ');
    const line = `apt-get install ${stillMissing.map((tool) => tool.package).join(' ')}`;
    process.stderr.write(
      `The tests need ${names}, which is not on the PATH. To install: ${line}\n`,
    );
    process.exit(1);
  }
}
