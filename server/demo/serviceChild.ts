import { createServer } from 'node:net';
import { type Exit, type Forked, forkModule, within } from './childProcess.js';

/** The service in its own process. The caller must stop it. */
export interface ServiceChild {
  readonly url: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** The end of its log. */
  lastWords(): string;
  /** Stops it with SIGTERM. Kills it if that takes too long. */
  stop(): Promise<void>;
}

const listenWithinMs = 120_000;
const stopWithinMs = 12_000;

const firstPort = 10_000;
const ports = 20_000;
const portAttempts = 20;

/**
 * A free port of 127.0.0.1, below those that systems give out for connections and for port 0. So it is
 * still free when a process listens there later, or again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = firstPort + Math.floor(Math.random() * ports);
    try {
      return await probePort(port);
    } catch (cause) {
      if (attempt === portAttempts) throw cause;
    }
  }
}

function probePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** Starts the service on 127.0.0.1. Resolves when it listens. */
export async function startService({
  port,
  pubSubServers,
  redisUrl = '',
  env = {},
}: {
  port: number;
  pubSubServers: readonly string[];
  redisUrl?: string | undefined;
  /** More variables. */
  env?: Record<string, string>;
}): Promise<ServiceChild> {
  const forked = forkModule('serviceProcess', {
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBSUB_SERVERS: pubSubServers.join(','),
      REDIS_URL: redisUrl,
      LOG_LEVEL: 'warn',
      // Short, so that the demo shows within seconds what takes a real fleet half a minute.
      PROBE_INTERVAL_MS: '1000',
      REQUEST_TIMEOUT_MS: '1000',
      // Ignore settings of another service on this machine. An empty variable counts as unset.
      STATE_DIR: 'none',
      PUBLIC_URL: '',
      PUBSUB_NETWORKS: '',
      DASHBOARD_TOKEN: '',
      AUTH: '',
      CLUSTER_URL: '',
      CLUSTER_SECRET: '',
      ...env,
    },
  });
  const { child, exited, lastWords } = forked;
  try {
    const url = await untilListening(forked);
    return { url, pid: child.pid ?? -1, exited, lastWords, stop };
  } catch (cause) {
    await kill();
    throw cause;
  }

  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    await within(stopWithinMs, 'too slow to stop', exited).catch(kill);
  }

  function kill(): Promise<Exit> {
    child.kill('SIGKILL');
    return exited;
  }
}

function untilListening({ child, exited, lastWords }: Forked): Promise<string> {
  const url = new Promise<string>((resolve, reject) => {
    child.on('message', (message: { type?: string; url?: string }) => {
      if (message.type === 'listening' && message.url) resolve(message.url);
    });
    void exited.then(({ code, signal }) => {
      reject(new Error(`the service did not start: exit ${code ?? signal}. ${lastWords()}`));
    });
  });
  const late = `the service did not listen within ${listenWithinMs} ms. ${lastWords()}`;
  return within(listenWithinMs, late, url);
}
