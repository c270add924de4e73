/**
 * Looks for the programs that the tests need and npm does not install; with the argument `proofs` also for
 * those of test/proofs. On Debian, root gets missing ones by apt-get. Elsewhere the error names them.
 */
import { spawnSync } from 'node:child_process';
import { withoutDaemons } from './withoutDaemons.js';

interface Tool {
  program: string;
  /** Debian's. */
  package: string;
  need: string;
  /** The systemd unit that the package enables. */
  unit?: string;
}

const systemTools: readonly Tool[] = [
  { program: 'redis-server', package: 'redis-server', need: 'watched rooms', unit: 'redis-server' },
  { program: 'chromium', package: 'chromium', need: 'the page' },
  { program: 'openssl', package: 'openssl', need: 'https to servers' },
];
const proofTools: readonly Tool[] = [
  { program: 'firefox-esr', package: 'firefox-esr', need: 'the page in another browser' },
  { program: 'nginx', package: 'nginx', need: 'proxies', unit: 'nginx' },
  // The package `apache2` would add a daemon and its configuration to the same program.
  { program: 'apache2', package: 'apache2-bin', need: 'proxies' },
  { program: 'haproxy', package: 'haproxy', need: 'proxies', unit: 'haproxy' },
  { program: 'caddy', package: 'caddy', need: 'proxies, and the chart', unit: 'caddy' },
  { program: 'prometheus', package: 'prometheus', need: 'alert rules', unit: 'prometheus' },
  { program: 'mmdebstrap', package: 'mmdebstrap', need: 'the Dockerfile' },
  { program: 'systemd-analyze', package: 'systemd', need: 'the systemd unit' },
];

const tools = process.argv[2] === 'proofs' ? [...systemTools, ...proofTools] : systemTools;

const env = {
  ...process.env,
  // Debian keeps daemons where only root's PATH leads.
  PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
  DEBIAN_FRONTEND: 'noninteractive',
};
const isThere = (program: string) =>
  spawnSync(program, ['--version'], { stdio: 'ignore', env }).error === undefined;
const missingTools = () => tools.filter(({ program }) => !isThere(program));
const listOf = (items: readonly Tool[]) =>
  items.map(({ program, need }) => `  ${program} (${need})\n`).join('');
const packagesOf = (items: readonly Tool[]) => items.map((tool) => tool.package).join(' ');

function run(command: string, ...args: string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (status !== 0)
    fail(`"${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}.`);
}

function fail(reason: string): never {
  const missing = missingTools();
  process.stderr.write(
    `The tests need these programs on the PATH:\n${listOf(missing)}${reason}\n` +
      `Debian's packages: ${packagesOf(missing)}\n`,
  );
  process.exit(1);
}

function install(missing: readonly Tool[]): void {
  process.stdout.write(
    `The tests need programs that this machine does not have:\n${listOf(missing)}` +
      `Installing Debian's packages with apt-get: ${packagesOf(missing)}\n` +
      'This takes one to five minutes and downloads at most 300 MB. No daemon is started.\n',
  );
  const units = missing.flatMap(({ unit }) => unit ?? []);
  // Another apt-get may be running, such as that of unattended upgrades.
  const apt = ['-qq', '-o', 'DPkg::Lock::Timeout=300'];
  run('apt-get', ...apt, 'update');
  withoutDaemons(() => {
    const packages = missing.map((tool) => tool.package);
    run('apt-get', ...apt, 'install', '--yes', '--no-install-recommends', ...packages);
  });
  // Debian enables what it installs: without this the daemons would start at the next boot.
  if (units.length > 0 && isThere('systemctl')) run('systemctl', 'disable', '--quiet', ...units);
}

const missing = missingTools();
if (missing.length > 0) {
  if (!isThere('apt-get'))
    fail('This machine has no apt-get: install them with its own package manager.');
  if (process.getuid?.() !== 0)
    fail('Only root can install them: run "sudo npx tsx test/support/systemTools.ts proofs" once.');
  install(missing);
  if (missingTools().length > 0) fail('apt-get has installed them, and they do not run.');
}
