import { createServer } from 'node:net';
import { type Exit, forkModule, within } from './childProcess.js';

/** The service in a process of its own; whoever started it stops it. */
export type ServiceChild = {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** The end of what it logged. */
  lastWords(): string;
  /** SIGTERM, as an operator stops it; killed when that takes too long. */
  stop(): Promise<void>;
};

const listenWithinMs = 30_000;
const stopWithinMs = 12_000;

/** A port of 127.0.0.1 that is free at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });

/** Starts the service on 127.0.0.1. Resolves when it listens. */
export const startService = async ({
  port,
  pubSubServers,
  redisUrl = '',
}: {
  port: number;
  pubSubServers: readonly string[];
  redisUrl?: string | undefined;
}): Promise<ServiceChild> => {
  const { child, exited, lastWords } = forkModule('serviceProcess', {
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBSUB_SERVERS: pubSubServers.join(','),
      REDIS_URL: redisUrl,
      LOG_LEVEL: 'warn',
      // Quick, so that one sees within seconds what a real fleet shows within half a minute.
      PROBE_INTERVAL_MS: '1000',
      REQUEST_TIMEOUT_MS: '1000',
      // What is set for another service of this machine; an empty variable is an unset one.
      STATE_DIR: 'none',
      PUBLIC_URL: '',
      PUBSUB_NETWORKS: '',
      DASHBOARD_TOKEN: '',
      AUTH: '',
    },
  });
  const url = new Promise<string>((resolve, reject) => {
    child.on('message', (message: { type?: string; url?: string }) => {
      if (message.type === 'listening' && message.url) resolve(message.url);
    });
    void exited.then(({ code, signal }) => {
      reject(new Error(`the service did not start: exit ${code ?? signal}. ${lastWords()}`));
    });
  });
  const kill = () => {
    child.kill('SIGKILL');
    return exited;
  };
  const stop = async () => {
    child.kill('SIGTERM');
    await within(stopWithinMs, 'too slow to stop', exited).catch(kill);
  };
  const late = `the service did not listen within ${listenWithinMs} ms. ${lastWords()}`;
  try {
    return {
      url: await within(listenWithinMs, late, url),
      pid: child.pid ?? -1,
      exited,
      lastWords,
      stop,
    };
  } catch (cause) {
    await kill();
    throw cause;
  }
};
