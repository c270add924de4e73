/**
 * Compiles `machines/` and `server/` to `dist/` before the first test: processes and threads that tests
 * start run as compiled JavaScript, as in production. They start in half the time that tsx takes.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Jest's `globalSetup`. Compiles only what changed since the last time. */
export default async function compileSources(): Promise<void> {
  const folders = await Promise.all(['machines', 'server'].map(sourcesIn));
  await Promise.all(folders.flat().map(compileIfChanged));
}

async function sourcesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /(?<!\.d)\.[jt]s$/.test(entry.name))
    .map(({ parentPath, name }) => relative(root, join(parentPath, name)))
    .filter((path) => !/^server\/(page|agent\/dist)\/|node_modules/.test(path));
}

async function compileIfChanged(path: string): Promise<void> {
  const source = join(root, path);
  const compiled = join(root, 'dist', path.replace(/\.ts$/, '.js'));
  const [changed, made] = await Promise.all([changedAt(source), changedAt(compiled)]);
  if (made !== undefined && changed !== undefined && made > changed) return;
  const text = await readFile(source, 'utf8');
  const isTyped = path.endsWith('.ts');
  const code = isTyped ? await compile(text, source) : text;
  await mkdir(dirname(compiled), { recursive: true });
  // A rename: another run of the tests may be reading the file.
  const temporary = `${compiled}.${randomUUID()}`;
  await writeFile(temporary, code);
  await rename(temporary, compiled);
}

async function compile(text: string, filename: string): Promise<string> {
  const { code } = await transform(text, {
    filename,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return code;
}

/** Undefined: there is no such file. */
async function changedAt(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return stats?.mtimeMs;
}
