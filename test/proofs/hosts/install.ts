import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const withinMs = 240_000;
const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
const folders: Record<string, Promise<string>> = {};

/**
 * Installs the packages that `test/proofs/hosts/<name>/package-lock.json` lists, unless they are there.
 * Resolves with the folder. Needs the network once.
 */
export function installHost(name: string): Promise<string> {
  folders[name] ??= install(fileURLToPath(new URL(name, import.meta.url)));
  return folders[name];
}

async function install(folder: string): Promise<string> {
  const lock = await readFile(join(folder, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  if ((await installedIn(folder)) === wanted) return folder;
  // Several test processes may install at once: each in a folder of its own, and the first one wins.
  const scratch = await mkdtemp(join(folder, '.install-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      await cp(join(folder, file), join(scratch, file));
    await run('npm', ['ci', ...options], { cwd: scratch, timeout: withinMs });
    await writeFile(join(scratch, 'node_modules/.installed'), wanted);
    await replace(folder, scratch, wanted);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** The hash of the lockfile that the packages are from. */
const installedIn = (folder: string): Promise<string> =>
  readFile(join(folder, 'node_modules/.installed'), 'utf8').catch(() => '');

/** Moves the packages into place. Older ones are removed, equal ones of another process stay. */
async function replace(folder: string, scratch: string, wanted: string): Promise<void> {
  const [from, to] = [join(scratch, 'node_modules'), join(folder, 'node_modules')];
  try {
    await rename(from, to);
  } catch (cause) {
    if ((await installedIn(folder)) === wanted) return;
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw cause;
    await rm(to, { recursive: true, force: true });
    await rename(from, to);
  }
}
