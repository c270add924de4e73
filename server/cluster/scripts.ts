import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** A Lua script of the folder `scripts`. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/** Reads `scripts/<name>.lua`. The build copies the folder. */
export function readScript(name: string): Script {
  const text = readFileSync(new URL(`scripts/${name}.lua`, import.meta.url), 'utf8');
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** Runs a script, and sends its text only if this Redis does not know it yet. */
export async function runScript(
  redis: Redis | Cluster,
  { text, sha1 }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<unknown> {
  try {
    return await redis.evalsha(sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
    return await redis.eval(text, keys.length, ...keys, ...args);
  }
}
