import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder for its owner only, and the parents that it lacks. One level at a time: made with its
 * parents by Node.js, a folder in `/proc` keeps it busy for ever. Rejects as `mkdir` does.
 */
export async function makeFolder(path: string): Promise<void> {
  const error = await make(path);
  if (error?.code === 'ENOENT' && dirname(path) !== path) {
    await makeFolder(dirname(path));
    const again = await make(path);
    if (again && again.code !== 'EEXIST') throw again;
  } else if (error && error.code !== 'EEXIST') throw error;
}

async function make(path: string): Promise<NodeJS.ErrnoException | undefined> {
  return mkdir(path, { mode: 0o700 }).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
}
