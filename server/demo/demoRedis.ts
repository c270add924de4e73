import { parseRedisUrl } from '../config/values.js';
import { startLocalRedis } from './localRedis.js';

/** The Redis of the demo. It connects editors on different servers. */
export interface DemoRedis {
  /** Undefined: there is none. */
  readonly url: string | undefined;
  /** Stops it if the demo started it. */
  stop(): Promise<void>;
}

/** Uses the Redis of REDIS_URL, or starts one, or runs without. `say` gets one line that tells which. */
export async function startDemoRedis(
  givenUrl: string | undefined,
  say: (line: string) => void,
): Promise<DemoRedis> {
  if (givenUrl) {
    const url = checkedUrl(givenUrl);
    say('Redis: using REDIS_URL');
    return { url, stop: async () => undefined };
  }
  try {
    const { url, port, stop } = await startLocalRedis();
    say(`Redis: started a local one on 127.0.0.1:${port}`);
    return { url, stop };
  } catch (cause) {
    const why = (cause as Error).message.replaceAll(/\s+/g, ' ');
    say(`Redis: none, so editors on different servers do not see each other. ${why}`);
    return { url: undefined, stop: async () => undefined };
  }
}

/** The error does not show the URL, because it may hold a password. */
function checkedUrl(url: string): string {
  try {
    return parseRedisUrl(url);
  } catch (cause) {
    throw new Error(`REDIS_URL (not shown) ${(cause as Error).message}`);
  }
}
