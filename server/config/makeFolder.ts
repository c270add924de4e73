import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Creates a folder for its owner only, with missing parents. Rejects like `mkdir`. Creates one level at a
 * time, because `mkdir` with `recursive` never returns for a folder in `/proc`.
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
