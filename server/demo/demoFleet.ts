import type { Truth } from './doubts.js';
import { type ServerProcess, startServerProcess } from './pubSubFleet.js';
import type { StoreWriterOptions } from './storeWriter.js';

/** The settings of the demo's servers. */
export interface DemoFleetOptions {
  dashboardUrl: string;
  /** The metadata store that the servers write to. */
  store?: StoreWriterOptions;
  /** Redis for the updates between servers. */
  redisUrl?: string | undefined;
  say(line: string): void;
}

/** A server of the demo: what people call it, and what it is made of. */
interface Member {
  readonly name: string;
  readonly kind: 'y-websocket' | 'own';
}

const members: readonly Member[] = [
  { name: 'y-websocket-1', kind: 'y-websocket' },
  { name: 'y-websocket-2', kind: 'y-websocket' },
  { name: 'own-1', kind: 'own' },
];
const fourth: Member = { name: 'own-2', kind: 'own' };

/** Starts the demo's pub-sub servers. The caller must stop them. */
export async function startDemoFleet(options: DemoFleetOptions): Promise<DemoFleet> {
  const fleet = new DemoFleet(options);
  await fleet.start();
  return fleet;
}

/**
 * The demo's pub-sub servers: three that the service knows, and a fourth that comes and goes. Some are
 * made with a library, others are our own.
 */
export class DemoFleet {
  readonly #options: DemoFleetOptions;
  readonly #running = new Map<string, ServerProcess>();
  readonly #members = new Map<string, Member>();
  readonly #hanging = new Set<string>();
  readonly #steps = [
    () => this.#killOne(),
    () => this.#restartKilled(),
    () => this.#addOne(),
    () => this.#suspendOne(),
    () => this.#resumeSuspended(),
    () => this.#stopAdded(),
  ];
  #turn = 0;
  /** The server that was killed or suspended last. */
  #victim: ServerProcess | undefined;
  #added: ServerProcess | undefined;
  #addedPort = 0;
  #isStopped = false;

  constructor(options: DemoFleetOptions) {
    this.#options = options;
  }

  /** Starts the three servers. If one fails, stops the others and rejects. */
  async start(): Promise<void> {
    const servers = members.map((member) => this.#startOne(member));
    const started = await Promise.allSettled(servers);
    const failed = started.find((result) => result.status === 'rejected');
    if (!failed) return;
    await this.stop();
    throw failed.reason;
  }

  /** `host:port` of the running servers. */
  ids(): string[] {
    return [...this.#running.keys()];
  }

  /** What people call the server with this `host:port`. */
  nameOf(id: string): string {
    return this.#members.get(id)?.name ?? '';
  }

  /** `ws://host:port` of the running servers that do not hang. */
  urls(): string[] {
    const servers = [...this.#running.values()];
    return servers.filter(({ id }) => !this.#hanging.has(id)).map(({ url }) => url);
  }

  async truth(): Promise<Truth> {
    return new Map(await Promise.all([...this.#running.values()].map(truthOf)));
  }

  /** Kills, restarts, adds, suspends, resumes or stops a server, in turn. Returns a line about it. */
  async next(): Promise<string> {
    const step = this.#steps[this.#turn % this.#steps.length];
    this.#turn += 1;
    return step ? step() : '';
  }

  /** Resumes suspended servers. Otherwise a graceful stop would wait for them. */
  resumeAll(): void {
    for (const server of this.#running.values()) server.resume();
    this.#hanging.clear();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#running.values()].map((server) => server.stop()));
  }

  async #startOne(member: Member, port = 0): Promise<ServerProcess> {
    const { dashboardUrl, store, redisUrl, say } = this.#options;
    const server = await startServerProcess({
      port,
      dashboardUrl,
      ...member,
      answerWithinMs: 500,
      ...(store && { store }),
      ...(redisUrl && { redisUrl }),
    });
    if (this.#isStopped) {
      await server.kill();
      throw new Error('the demo has stopped');
    }
    this.#members.set(server.id, member);
    this.#running.set(server.id, server);
    void server.exited.then(() => {
      if (this.#running.get(server.id) !== server) return;
      this.#running.delete(server.id);
      if (!this.#isStopped) say(`${this.#shown(server.id)} exited unexpectedly`);
    });
    return server;
  }

  async #killOne(): Promise<string> {
    this.#victim = this.#pick();
    if (!this.#victim) return 'no server left to kill';
    this.#remove(this.#victim);
    await this.#victim.kill();
    return `killed ${this.#shown(this.#victim.id)}: its counts disappear after some seconds without an answer`;
  }

  async #restartKilled(): Promise<string> {
    if (!this.#victim) return 'no server to restart';
    const member = this.#members.get(this.#victim.id) ?? fourth;
    const { id } = await this.#startOne(member, this.#victim.port);
    return `restarted ${this.#shown(id)}: it sends its start-up query to the service`;
  }

  async #addOne(): Promise<string> {
    this.#added = await this.#startOne(fourth, this.#addedPort);
    this.#addedPort = this.#added.port;
    return `added ${this.#shown(this.#added.id)}, which the service did not know`;
  }

  async #suspendOne(): Promise<string> {
    this.#victim = this.#pick();
    if (!this.#victim) return 'no server left to suspend';
    this.#hanging.add(this.#victim.id);
    this.#victim.suspend();
    return `suspended ${this.#shown(this.#victim.id)}: it hangs, and nothing else waits for it`;
  }

  async #resumeSuspended(): Promise<string> {
    if (!this.#victim) return 'no server to resume';
    this.#hanging.delete(this.#victim.id);
    this.#victim.resume();
    return `resumed ${this.#shown(this.#victim.id)}`;
  }

  async #stopAdded(): Promise<string> {
    if (!this.#added) return 'no added server to stop';
    this.#remove(this.#added);
    await this.#added.stop();
    return `stopped ${this.#shown(this.#added.id)}: it closed its connections first`;
  }

  #shown(id: string): string {
    return `${this.nameOf(id)} (${id})`;
  }

  #pick(): ServerProcess | undefined {
    return [...this.#running.values()].at(this.#turn % members.length);
  }

  #remove(server: ServerProcess): void {
    this.#running.delete(server.id);
    this.#hanging.delete(server.id);
  }
}

async function truthOf(server: ServerProcess) {
  return [server.id, await server.connections().catch(() => undefined)] as const;
}
