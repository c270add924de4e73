import { type Forked, forkModule } from '../../../server/demo/childProcess.js';
import { freePort } from '../../../server/demo/serviceChild.js';

/** The service in a process of its own, without a resync. The caller ends it by `kill`. */
export interface CrashingService {
  readonly url: string;
  /** Kills it and starts it again at the same URL, where it knows nothing. */
  restart(): Promise<void>;
  /** The end of its log. */
  lastWords(): string;
  kill(): Promise<void>;
}

/** Starts the service. Resolves when it listens. */
export async function startCrashingService(): Promise<CrashingService> {
  const port = await freePort();
  let forked = await start(port);
  const kill = async () => {
    forked.child.kill('SIGKILL');
    await forked.exited;
  };
  const restart = async () => {
    await kill();
    forked = await start(port);
  };
  return { url: `http://127.0.0.1:${port}`, restart, lastWords: () => forked.lastWords(), kill };
}

async function start(port: number): Promise<Forked> {
  const forked = forkModule('serviceProcess', {
    env: {
      HOST: '127.0.0.1',
      PORT: `${port}`,
      PUBSUB_SERVERS: '',
      LOG_LEVEL: 'warn',
      STATE_DIR: 'none',
      LINGER_MS: '50',
      FRAME_INTERVAL_MS: '5',
      PROBE_INTERVAL_MS: '2000',
      RESYNC_INTERVAL_MS: '600000',
      REQUEST_TIMEOUT_MS: '10000',
    },
  });
  const { child, exited, lastWords } = forked;
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    void exited.then(() => reject(new Error(`the service did not start: ${lastWords()}`)));
  });
  return forked;
}
