import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';

interface Rule {
  isKept: boolean;
  pattern: RegExp;
}

/** The rules of a `.dockerignore`. The last one that matches a file, or a folder above it, decides. */
function rulesOf(ignore: string): Rule[] {
  const lines = ignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => {
    const isKept = line.startsWith('!');
    const glob = isKept ? line.slice(1) : line;
    const source = glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'));
    return { isKept, pattern: new RegExp(`^${source}(?:/|$)`) };
  });
}

/** The files of a folder that Docker sends to the builder, relative to it. */
export async function contextFiles(folder: string, ignore: string): Promise<string[]> {
  const rules = rulesOf(ignore);
  const isSent = (path: string) =>
    rules.findLast(({ pattern }) => pattern.test(path))?.isKept ?? true;
  const found: string[] = [];
  const visit = async (at: string) => {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (['node_modules', '.git', 'dist'].includes(entry.name) && !isSent(relative(folder, path)))
        continue;
      if (entry.isDirectory()) await visit(path);
      else if (isSent(relative(folder, path))) found.push(relative(folder, path));
    }
  };
  await visit(folder);
  return found.sort();
}
