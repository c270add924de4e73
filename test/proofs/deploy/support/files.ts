/** The files of docs/deploy, which users copy. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The path of a file below docs/deploy. */
export const deployPath = (path: string): string =>
  fileURLToPath(new URL(`../../../../docs/deploy/${path}`, import.meta.url));

/** The text of a file below docs/deploy. */
export const deployFile = (path: string): Promise<string> => readFile(deployPath(path), 'utf8');
