import type { Truth } from './doubts.js';
import { type ServerProcess, startServerProcess } from './pubSubFleet.js';
import type { StoreWriterOptions } from './storeWriter.js';

/** The demo's pub-sub servers: three that the service knows, and a fourth that comes and goes. */
export type DemoFleet = {
  /** `host:port` of the servers that run. */
  ids(): string[];
  /** `ws://host:port` of the servers that run and do not hang. */
  urls(): string[];
  truth(): Promise<Truth>;
  /** Does the next thing that happens to such a fleet, and says what it was. */
  next(): Promise<string>;
  /** Ends the hanging, before others wait for who hangs. */
  resumeAll(): void;
  stop(): Promise<void>;
};

const size = 3;

/** Starts the servers; whoever started them stops them. */
export const startDemoFleet = async ({
  dashboardUrl,
  store,
  redisUrl,
  say,
}: {
  dashboardUrl: string;
  /** The metadata store that the servers write to. */
  store?: StoreWriterOptions;
  /** Redis for the servers' fan-out. */
  redisUrl?: string | undefined;
  say(line: string): void;
}): Promise<DemoFleet> => {
  const running = new Map<string, ServerProcess>();
  const hanging = new Set<string>();
  let isStopped = false;

  const start = async (port = 0): Promise<ServerProcess> => {
    const server = await startServerProcess({
      port,
      dashboardUrl,
      answerWithinMs: 500,
      ...(store && { store }),
      ...(redisUrl && { redisUrl }),
    });
    if (isStopped) {
      await server.kill();
      throw new Error('the demo is over');
    }
    running.set(server.id, server);
    void server.exited.then(() => {
      if (running.get(server.id) !== server) return;
      running.delete(server.id);
      if (!isStopped) say(`${server.id} ended, and nobody asked it to`);
    });
    return server;
  };
  const remove = (server: ServerProcess) => {
    running.delete(server.id);
    hanging.delete(server.id);
  };
  const stop = async () => {
    isStopped = true;
    await Promise.all([...running.values()].map((server) => server.stop()));
  };

  const started = await Promise.allSettled(Array.from({ length: size }, () => start()));
  const failed = started.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }

  let turn = 0;
  let victim: ServerProcess | undefined;
  let extra: ServerProcess | undefined;
  let extraPort = 0;
  const steps: (() => Promise<string>)[] = [
    async () => {
      victim = [...running.values()].at(turn % size);
      if (!victim) return 'no server is left to be killed';
      remove(victim);
      await victim.kill();
      return `killed ${victim.id}: its counts go when it has been silent for some seconds`;
    },
    async () => {
      if (!victim) return 'no server is to be started again';
      const { id } = await start(victim.port);
      return `started ${id} again: it asks the service at its start-up`;
    },
    async () => {
      extra = await start(extraPort);
      extraPort = extra.port;
      return `added ${extra.id}: the service did not know of it before`;
    },
    async () => {
      victim = [...running.values()].at(turn % size);
      if (!victim) return 'no server is left to hang';
      hanging.add(victim.id);
      victim.suspend();
      return `${victim.id} hangs: nobody else waits for it`;
    },
    async () => {
      if (!victim) return 'no server hangs';
      hanging.delete(victim.id);
      victim.resume();
      return `${victim.id} goes on`;
    },
    async () => {
      if (!extra) return 'no server was added';
      remove(extra);
      await extra.stop();
      return `stopped ${extra.id}: it closed its connections first`;
    },
  ];

  const truthOf = async (server: ServerProcess) =>
    [server.id, await server.connections().catch(() => undefined)] as const;
  return {
    ids: () => [...running.keys()],
    urls: () => [...running.values()].filter(({ id }) => !hanging.has(id)).map(({ url }) => url),
    truth: async () => new Map(await Promise.all([...running.values()].map(truthOf))),
    next: async () => {
      const step = steps[turn % steps.length];
      turn += 1;
      return step ? step() : '';
    },
    resumeAll: () => {
      for (const server of running.values()) server.resume();
      hanging.clear();
    },
    stop,
  };
};
