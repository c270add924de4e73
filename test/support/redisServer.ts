import { Redis } from 'ioredis';
import {
  type LocalRedis,
  type LocalRedisOptions,
  startLocalRedis,
} from '../../server/demo/localRedis.js';

/** A real redis-server for one test. The caller stops it. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Process id of the present process. */
  readonly pid: number;
  /** Resolves with the number of subscribers that received it. */
  publish(channel: string, message: Uint8Array | string): Promise<number>;
  /** `PUBSUB NUMSUB` for one channel. */
  subscribers(channel: string): Promise<number>;
  /** `PUBSUB CHANNELS`: channels with subscribers. */
  channels(): Promise<string[]>;
  /** `PUBSUB NUMPAT`. */
  patterns(): Promise<number>;
  /** Number of connections, without the one of this object. */
  clients(): Promise<number>;
  /** Sends it any command. */
  call(...command: [string, ...string[]]): Promise<unknown>;
  /** Cuts the connections of all subscribers. */
  cutSubscribers(): Promise<void>;
  /** Kills it. It can be restarted. */
  stop(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port. */
  restart(): Promise<void>;
  /** SIGSTOP: it hangs, and its sockets stay open. */
  suspend(): void;
  resume(): void;
}

/** Starts a redis-server on 127.0.0.1, on a free port by default. Resolves when it answers. */
export async function startRedis(options: LocalRedisOptions = {}): Promise<RedisServer> {
  let server: LocalRedis | undefined;
  let client: Redis | undefined;
  const start = async (port = options.port) => {
    server = await startLocalRedis({ ...options, ...(port !== undefined && { port }) });
    client = connect(server.url);
  };
  const connect = (to: string) => {
    const { password = '' } = options;
    const made = new Redis(to, { password, retryStrategy: () => null });
    return made.on('error', () => undefined);
  };
  const stop = async () => {
    client?.disconnect();
    await server?.stop();
    server = undefined;
    client = undefined;
  };
  const asked = () => {
    if (!server || !client) throw new Error('redis is stopped');
    // A server that changes its role (primary, replica) cuts all connections.
    if (client.status === 'end') client = connect(server.url);
    return client;
  };
  await start();
  const { url, port, pid } = server as unknown as LocalRedis;
  return {
    url,
    port,
    get pid() {
      return server?.pid ?? pid;
    },
    publish: (channel, message) => asked().publish(channel, Buffer.from(message)),
    subscribers: async (channel) => Number((await asked().pubsub('NUMSUB', channel))[1]),
    channels: async () => (await asked().pubsub('CHANNELS')) as string[],
    patterns: async () => Number(await asked().pubsub('NUMPAT')),
    clients: async () =>
      String(await asked().client('LIST'))
        .trim()
        .split('\n').length - 1,
    call: (name, ...args) => asked().call(name, ...args),
    cutSubscribers: async () => void (await asked().call('CLIENT', 'KILL', 'TYPE', 'pubsub')),
    stop,
    restart: async () => {
      await stop();
      await start(port);
    },
    suspend: () => void (server && process.kill(server.pid, 'SIGSTOP')),
    resume: () => void (server && process.kill(server.pid, 'SIGCONT')),
  };
}
