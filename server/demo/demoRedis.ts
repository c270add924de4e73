import { parseRedisUrl } from '../config/values.js';
import { startLocalRedis } from './localRedis.js';

/** The demo's Redis, by which editors on different servers see each other. */
export type DemoRedis = {
  /** Undefined: there is none. */
  readonly url: string | undefined;
  /** Stops it if the demo started it. */
  stop(): Promise<void>;
};

/** Takes the Redis of REDIS_URL, or starts one, or does without: one line says which. */
export const startDemoRedis = async (
  givenUrl: string | undefined,
  say: (line: string) => void,
): Promise<DemoRedis> => {
  if (givenUrl) {
    try {
      const url = parseRedisUrl(givenUrl);
      say('fan-out between the servers: the Redis of REDIS_URL');
      return { url, stop: async () => undefined };
    } catch (cause) {
      throw new Error(`REDIS_URL (not shown) ${(cause as Error).message}`);
    }
  }
  try {
    const { url, port, stop } = await startLocalRedis();
    say(`fan-out between the servers: a Redis of its own on 127.0.0.1:${port}`);
    return { url, stop };
  } catch (cause) {
    const why = (cause as Error).message.replaceAll(/\s+/g, ' ');
    say(`no Redis: editors on different servers do not see each other. ${why}`);
    return { url: undefined, stop: async () => undefined };
  }
};
