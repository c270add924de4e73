/** What stands for Docker's image `node:<version>-bookworm-slim`: Debian's packages, a Node.js, and its npm. */

import { cp, mkdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nodeOf } from '../../../support/nodeOf.js';
import { run } from './run.js';

/** Makes the file system of the base image at `root`. The first call takes a minute. */
export async function makeNodeBase(name: string, root: string): Promise<void> {
  const [, version = '', suite = ''] = /^node:(\d+)-(\w+)-slim$/.exec(name) ?? [];
  if (suite === '') throw new Error(`the base image ${name} is not known here`);
  await must('mmdebstrap', ['--quiet', '--variant=apt', suite, root, sourcesOfThisMachine]);
  await addNode(root, nodeOf(version));
  await must('chroot', [root, 'useradd', '--uid', '1000', '--create-home', 'node']);
  for (const file of ofTheNetwork) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await cp(file, join(root, file), { dereference: true }).catch(() => undefined);
  }
}

/** Where this machine's own apt finds Debian. */
const sourcesOfThisMachine =
  process.env.TEST_DEBIAN_SOURCES ?? '/etc/apt/sources.list.d/debian.sources';

/** What reaches a name server, and registries through a proxy with a certificate of its own. */
const ofTheNetwork = ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt'];

/** As in Docker's image: below /usr/local. npm is the one of this machine. */
async function addNode(root: string, node: string): Promise<void> {
  const local = join(root, 'usr/local');
  await cp(node, join(local, 'bin/node'), { dereference: true });
  const { text } = await must('npm', ['root', '--global']);
  await cp(join(text.trim(), 'npm'), join(local, 'lib/node_modules/npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    await rm(join(local, 'bin', name), { force: true });
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
}

/** The settings of this machine's npm: where its registry is. */
export async function npmOfThisMachine(): Promise<Record<string, string>> {
  const { text } = await must('npm', ['config', 'get', 'registry']);
  const { NODE_EXTRA_CA_CERTS: certificates } = process.env;
  return {
    HOME: '/root',
    npm_config_registry: text.trim(),
    ...(certificates && { NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt' }),
  };
}

async function must(program: string, args: readonly string[]) {
  const env = { HOME: process.env.HOME ?? '/root', DEBIAN_FRONTEND: 'noninteractive' };
  const ended = await run(program, args, { env });
  if (ended.code !== 0) throw new Error(`${program} ${args.join(' ')}: ${ended.text.slice(-4000)}`);
  return ended;
}
