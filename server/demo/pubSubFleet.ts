import { type Exit, type Forked, forkModule, within } from './childProcess.js';
import type { PubSubServerOptions } from './pubSubServer.js';
import type { ServerProcessMessage, ServerProcessRequest } from './pubSubServerProcess.js';

/** A pub-sub server in its own process. The caller must kill or stop it. */
export interface ServerProcess {
  /** `host:port`. */
  readonly id: string;
  /** For WebSocket clients: `ws://host:port`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The true connections of every room that has any. Rejects if the process does not answer in time. */
  connections(): Promise<Record<string, number>>;
  /** SIGKILL: closes connections without posting deltas. Resolves when the process has exited. */
  kill(): Promise<Exit>;
  /** SIGSTOP: the server hangs, and its sockets stay open. */
  suspend(): void;
  /** SIGCONT. */
  resume(): void;
  /** Stops gracefully, posting the last deltas. Kills the process if that takes too long. */
  stop(): Promise<void>;
  /** Closes the IPC channel, as the death of the parent does. The process then exits. */
  disconnect(): void;
  /** Resolves when the process has exited. */
  readonly exited: Promise<Exit>;
}

/** The options of a server process, with deadlines for the parent's requests. */
export interface ServerProcessOptions extends PubSubServerOptions {
  /** Default 120,000 ms. */
  listenWithinMs?: number;
  /** Default 60,000 ms. */
  answerWithinMs?: number;
  /** Default 10,000 ms. */
  stopWithinMs?: number;
}

type Listening = Extract<ServerProcessMessage, { type: 'listening' }>;
type Counts = Record<string, number>;

/** Starts a pub-sub server in its own process. Resolves when it listens. */
export async function startServerProcess(
  options: ServerProcessOptions = {},
): Promise<ServerProcess> {
  const {
    listenWithinMs = 120_000,
    answerWithinMs = 60_000,
    stopWithinMs = 10_000,
    redisUrl = '',
    ...serverOptions
  } = options;
  const forked = forkModule('pubSubServerProcess', {
    args: [JSON.stringify(serverOptions)],
    // Not an argument: it may hold a password, and every user of the machine can see arguments.
    env: { PUBSUB_SERVER_REDIS_URL: redisUrl },
  });
  const { child, exited } = forked;
  const ready = await untilListening(forked, listenWithinMs).catch(async (cause: unknown) => {
    await kill();
    throw cause;
  });
  const questions = new Questions(forked);
  return {
    id: ready.id,
    url: ready.url,
    port: ready.port,
    pid: child.pid ?? -1,
    connections: () => questions.connections(answerWithinMs),
    kill,
    suspend: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop,
    disconnect: () => child.disconnect(),
    exited,
  };

  function kill(): Promise<Exit> {
    child.kill('SIGKILL');
    return exited;
  }

  async function stop(): Promise<void> {
    child.kill('SIGCONT');
    if (child.connected)
      child.send({ type: 'stop' } satisfies ServerProcessRequest, () => undefined);
    await within(stopWithinMs, 'too slow to stop', exited).catch(kill);
  }
}

function untilListening({ child, exited, lastWords }: Forked, ms: number): Promise<Listening> {
  const listening = new Promise<Listening>((resolve, reject) => {
    const fail = (cause: string) => reject(new Error(`a pub-sub server did not start: ${cause}`));
    child.on('message', (message: ServerProcessMessage) => {
      if (message.type === 'listening') resolve(message);
      if (message.type === 'failed') fail(message.cause);
    });
    child.on('error', (cause) => fail(cause.message));
    void exited.then(({ code, signal }) => fail(`exit ${code ?? signal}. ${lastWords()}`));
  });
  return within(ms, `a pub-sub server did not listen within ${ms} ms`, listening);
}

/** Requests to a server process. Each has a number, so that a late answer is ignored. */
class Questions {
  readonly #forked: Forked;
  readonly #waiting = new Map<
    number,
    { resolve: (counts: Counts) => void; reject: (cause: Error) => void }
  >();
  #newest = 0;

  constructor(forked: Forked) {
    this.#forked = forked;
    forked.child.on('message', (message: ServerProcessMessage) => {
      if (message.type !== 'connections') return;
      this.#waiting.get(message.request)?.resolve(toRecord(message.connections));
    });
    void forked.exited.then(() => {
      for (const { reject } of this.#waiting.values()) reject(hasExited());
    });
  }

  async connections(withinMs: number): Promise<Counts> {
    const { child } = this.#forked;
    if (!child.connected) throw hasExited();
    this.#newest += 1;
    const request = this.#newest;
    const answer = new Promise<Counts>((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      const message: ServerProcessRequest = { type: 'connections', request };
      child.send(message, (cause) => cause && reject(hasExited()));
    });
    const late = `the pub-sub server did not answer within ${withinMs} ms`;
    return within(withinMs, late, answer).finally(() => this.#waiting.delete(request));
  }
}

function hasExited(): Error {
  return new Error('the pub-sub server has exited');
}

/** Without a prototype, so that `constructor` is absent unless there is such a room. */
function toRecord(entries: Iterable<readonly [string, number]>): Counts {
  const record: Counts = Object.create(null);
  for (const [room, connections] of entries) record[room] = connections;
  return record;
}
