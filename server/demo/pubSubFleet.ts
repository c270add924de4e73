import { type Exit, type Forked, forkModule, within } from './childProcess.js';
import type { PubSubServerOptions } from './pubSubServer.js';
import type { ServerProcessMessage, ServerProcessRequest } from './pubSubServerProcess.js';

/** One pub-sub server in a process of its own; whoever started it kills or stops it. */
export type ServerProcess = {
  /** `host:port`. */
  readonly id: string;
  /** For WebSocket clients: `ws://host:port`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The truth: connections of every room that has any. Rejects when the process does not answer in time. */
  connections(): Promise<Record<string, number>>;
  /** SIGKILL: connections are cut and no delta is posted. Resolves when the process is gone. */
  kill(): Promise<Exit>;
  /** SIGSTOP: the server hangs, its sockets stay open. */
  suspend(): void;
  /** SIGCONT. */
  resume(): void;
  /** Graceful: posts its last deltas, then exits; killed when that takes too long. */
  stop(): Promise<void>;
  /** Closes the channel to the process, as the parent's death does: the process ends by itself. */
  disconnect(): void;
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<Exit>;
};

/** Options of one server process; the deadlines are for what the fleet asks of it. */
export type ServerProcessOptions = PubSubServerOptions & {
  /** Default 20,000 ms. */
  listenWithinMs?: number;
  /** Default 2,000 ms. */
  answerWithinMs?: number;
  /** Default 10,000 ms. */
  stopWithinMs?: number;
};

type Listening = Extract<ServerProcessMessage, { type: 'listening' }>;

const listening = ({ child, exited, lastWords }: Forked): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const fail = (cause: string) => reject(new Error(`a pub-sub server did not start: ${cause}`));
    child.on('message', (message: ServerProcessMessage) => {
      if (message.type === 'listening') resolve(message);
      if (message.type === 'failed') fail(message.cause);
    });
    child.on('error', (cause) => fail(cause.message));
    void exited.then(({ code, signal }) => fail(`exit ${code ?? signal}. ${lastWords()}`));
  });

// Without a prototype: `constructor` is absent unless there is such a room.
const toRecord = (entries: Iterable<readonly [string, number]>): Record<string, number> => {
  const record: Record<string, number> = Object.create(null);
  for (const [room, connections] of entries) record[room] = connections;
  return record;
};

type Truth = Record<string, number>;
type Waiting = { resolve(truth: Truth): void; reject(cause: Error): void };

// Asks the process for its connections; requests are numbered, so that a late answer is nobody's.
const createAsker = ({ child, exited }: Forked) => {
  const waiting = new Map<number, Waiting>();
  let newest = 0;
  const gone = () => new Error('the pub-sub server is gone');
  child.on('message', (message: ServerProcessMessage) => {
    if (message.type !== 'connections') return;
    waiting.get(message.request)?.resolve(toRecord(message.connections));
  });
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(gone());
  });
  return async (withinMs: number): Promise<Truth> => {
    if (!child.connected) throw gone();
    newest += 1;
    const request = newest;
    const answer = new Promise<Truth>((resolve, reject) => {
      waiting.set(request, { resolve, reject });
      const message: ServerProcessRequest = { type: 'connections', request };
      child.send(message, (cause) => cause && reject(gone()));
    });
    const late = `the pub-sub server did not answer within ${withinMs} ms`;
    return within(withinMs, late, answer).finally(() => waiting.delete(request));
  };
};

/** Starts a pub-sub server in a process of its own. Resolves when it listens. */
export const startServerProcess = async (
  options: ServerProcessOptions = {},
): Promise<ServerProcess> => {
  const {
    listenWithinMs = 20_000,
    answerWithinMs = 2_000,
    stopWithinMs = 10_000,
    redisUrl = '',
    ...serverOptions
  } = options;
  const forked = forkModule('pubSubServerProcess', {
    args: [JSON.stringify(serverOptions)],
    // No argument: those can be seen by every user of the machine, and it may hold a password.
    env: { PUBSUB_SERVER_REDIS_URL: redisUrl },
  });
  const { child, exited } = forked;
  const kill = () => {
    child.kill('SIGKILL');
    return exited;
  };
  const late = `a pub-sub server did not listen within ${listenWithinMs} ms`;
  const ready = await within(listenWithinMs, late, listening(forked)).catch(
    async (cause: unknown) => {
      await kill();
      throw cause;
    },
  );
  const ask = createAsker(forked);
  const stop = async () => {
    child.kill('SIGCONT');
    if (child.connected)
      child.send({ type: 'stop' } satisfies ServerProcessRequest, () => undefined);
    await within(stopWithinMs, 'too slow to stop', exited).catch(kill);
  };
  return {
    id: ready.id,
    url: ready.url,
    port: ready.port,
    pid: child.pid ?? -1,
    connections: () => ask(answerWithinMs),
    kill,
    suspend: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop,
    disconnect: () => child.disconnect(),
    exited,
  };
};
