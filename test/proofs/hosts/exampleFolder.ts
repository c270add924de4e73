import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installHost } from './install.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const agent = join(root, 'server/agent');
let built: Promise<string> | undefined;

/** A folder of a user: an example of `docs/examples/`, and the packages that it imports. */
export interface ExampleFolder {
  /** The path of the example in it. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Puts an example into a folder of its own, with the packages of a host and the agent as it is published. */
export async function exampleFolder(example: string, host: string): Promise<ExampleFolder> {
  const packages = join(await installHost(host), 'node_modules');
  built ??= buildAgent();
  const folder = await mkdtemp(join(tmpdir(), 'example-'));
  await mkdir(join(folder, 'node_modules/@pubsub-dashboard'), { recursive: true });
  const links = (await readdir(packages)).filter((name) => !name.startsWith('.'));
  for (const name of links) await symlink(join(packages, name), join(folder, 'node_modules', name));
  await symlink(await built, join(folder, 'node_modules/@pubsub-dashboard/agent'));
  const path = join(folder, example);
  await cp(join(root, 'docs/examples', example), path);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Ends what `exampleFolder` built. */
export async function removeBuiltAgent(): Promise<void> {
  const folder = await built;
  built = undefined;
  if (folder) await rm(dirname(folder), { recursive: true, force: true });
}

/** Not in `server/agent/dist`: other tests may be building there. */
async function buildAgent(): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'agent-')), 'agent');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const outDir = join(folder, 'dist/esm');
  await run(process.execPath, [tsc, '-p', join(agent, 'tsconfig.json'), '--outDir', outDir]);
  await cp(join(agent, 'package.json'), join(folder, 'package.json'));
  return folder;
}
