/**
 * Sees to the programs that tests need beside npm's packages: found on the PATH, or installed with
 * Debian's package manager when this process may, or else named with the line that installs them.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const tools = [
  { program: 'redis-server', package: 'redis-server' },
  { program: 'chromium', package: 'chromium' },
  { program: 'nginx', package: 'nginx' },
  // Without the package `apache2`, which adds a daemon and its configuration to the same program.
  { program: 'apache2', package: 'apache2-bin' },
  { program: 'haproxy', package: 'haproxy' },
  { program: 'caddy', package: 'caddy' },
];

// Debian keeps daemons where only root's PATH leads.
const env = {
  ...process.env,
  PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
  DEBIAN_FRONTEND: 'noninteractive',
};
const isThere = (program) =>
  spawnSync(program, ['--version'], { stdio: 'ignore', env }).error === undefined;
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit', env }).status === 0;

/** Asked by Debian's packages whether they may start their daemons (invoke-rc.d(8)): 101 denies. */
const policyFile = '/usr/sbin/policy-rc.d';
const policyMark = '# Written for the tests of pubsub-dashboard, for the time of an installation.';
// It denies for as long as this process runs, so that one left behind by a crash changes nothing.
const policy = `#!/bin/sh\n${policyMark}\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`;

/** Whether a policy of somebody else is there, which is not ours to replace. */
function isPolicyTaken() {
  try {
    return !readFileSync(policyFile, 'utf8').includes(policyMark);
  } catch (error) {
    return error.code !== 'ENOENT';
  }
}

/** Has no package start a daemon meanwhile: the tests start their own. */
function withoutDaemons(install) {
  if (isPolicyTaken()) return install();
  writeFileSync(policyFile, policy, { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policyFile, { force: true });
  }
}

const missing = tools.filter(({ program }) => !isThere(program));
if (missing.length > 0) {
  const packages = missing.map((tool) => tool.package);
  const mayInstall = process.getuid?.() === 0 && isThere('apt-get');
  if (mayInstall) {
    process.stdout.write(`installing ${packages.join(', ')} for the tests\n`);
    run('apt-get', ['update', '-qq']);
    withoutDaemons(() =>
      run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages]),
    );
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
