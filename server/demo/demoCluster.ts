import { type RoundRobinProxy, startRoundRobinProxy } from './roundRobinProxy.js';
import { freePort, type ServiceChild, startService } from './serviceChild.js';

/** The settings of the demo's instances. */
export interface DemoClusterOptions {
  /** How many. */
  instances: number;
  /** Where the proxy listens. */
  port: number;
  pubSubServers: readonly string[];
  /** The Redis of the instances. */
  clusterUrl: string;
  /** The Redis of the updates between servers. */
  redisUrl?: string | undefined;
  /** How often the leader is killed; 0: never. */
  killEveryMs: number;
  say(line: string): void;
}

/** One of the instances. Its process comes and goes. */
interface Member {
  readonly name: string;
  readonly port: number;
  child: ServiceChild | undefined;
}

/** What `GET /api/instances` says of one, as far as it is shown. */
interface InstanceRow {
  role: string;
  url: string;
}

const askEveryMs = 250;
const askWithinMs = 1_000;
const restartAfterMs = 3_000;

/** Starts the instances and the proxy in front of them. The caller must stop them. */
export async function startDemoCluster(options: DemoClusterOptions): Promise<DemoCluster> {
  const cluster = new DemoCluster(options);
  try {
    await cluster.start();
    return cluster;
  } catch (cause) {
    await cluster.stop();
    throw cause;
  }
}

/** Instances of the service that act as one. Now and then the leader is killed, and started again. */
export class DemoCluster {
  readonly #options: DemoClusterOptions;
  readonly #members: Member[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #proxy: RoundRobinProxy | undefined;
  #leader: Member | undefined;
  /** The leader that was killed last, until another one leads. */
  #killed: { name: string; atMs: number } | undefined;
  #happened = '';
  #isStopped = false;

  constructor(options: DemoClusterOptions) {
    this.#options = options;
  }

  /** For viewers and pub-sub servers. */
  get url(): string {
    return this.#proxy?.url ?? '';
  }

  /** Resolves when the first instances answer. */
  async start(): Promise<void> {
    const { instances, port, killEveryMs } = this.#options;
    for (let number = 1; number <= instances; number += 1)
      this.#members.push({
        name: `instance ${number}`,
        port: await freePort(),
        child: undefined,
      });
    const urls = this.#members.map((member) => `http://127.0.0.1:${member.port}`);
    this.#proxy = await startRoundRobinProxy({ instances: urls, port });
    await Promise.all(this.#members.map((member) => this.#startOne(member)));
    this.#every(askEveryMs, () => this.#ask());
    if (killEveryMs > 0) this.#every(killEveryMs, () => this.#killLeader());
  }

  /** One line: what each instance does, and what happened last. */
  status(): string {
    const roles = this.#members.map((member) => {
      const role = member === this.#leader ? 'LEADS' : member.child ? 'follows' : 'is down';
      return `${member.name} (:${member.port}) ${role}`;
    });
    return `${roles.join(', ')}. ${this.#happened}`;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#members.map(({ child }) => child?.stop()));
    await this.#proxy?.stop();
  }

  async #startOne(member: Member): Promise<void> {
    const { pubSubServers, redisUrl, clusterUrl } = this.#options;
    const env = {
      CLUSTER_URL: clusterUrl,
      CLUSTER_SECRET: 'all instances of the demo share this',
      INSTANCE_URL: '',
      INSTANCE_PEER_URL: '',
    };
    const child = await startService({ port: member.port, pubSubServers, redisUrl, env });
    member.child = child;
    if (this.#isStopped) return child.stop();
    void child.exited.then(({ code }) => this.#ended(member, child, code));
  }

  /** It was killed, or ended by itself. Another process takes its place. */
  #ended(member: Member, child: ServiceChild, code: number | null): void {
    if (member.child === child) member.child = undefined;
    if (this.#isStopped) return;
    // Ctrl-C ends it with 0, the kill above without a code.
    if (code) this.#options.say(`${member.name} exited with ${code}: ${child.lastWords()}`);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#startOne(member).catch((cause: Error) => this.#options.say(cause.message));
    }, restartAfterMs);
    this.#timers.add(timer);
  }

  async #killLeader(): Promise<void> {
    const { child, name = '' } = this.#leader ?? {};
    if (!child) return;
    this.#killed = { name, atMs: performance.now() };
    this.#leader = undefined;
    this.#happen(`killed ${name}, the leader: the others go on with the last numbers`);
    process.kill(child.pid, 'SIGKILL');
  }

  /** Asks any instance who leads. */
  async #ask(): Promise<void> {
    const signal = AbortSignal.timeout(askWithinMs);
    const answer = await fetch(`${this.url}/api/instances`, { signal });
    const rows = (await answer.json()) as InstanceRow[];
    const leading = rows.find(({ role }) => role === 'leading');
    const leader = this.#members.find(({ port }) => leading?.url.endsWith(`:${port}`));
    // The others learn of the death of a leader only when its lease has expired.
    if (!leader?.child || leader === this.#leader) return;
    this.#leader = leader;
    const killed = this.#killed;
    const seconds = killed && ((performance.now() - killed.atMs) / 1_000).toFixed(1);
    this.#killed = undefined;
    this.#happen(`${leader.name} leads${killed ? `, ${seconds} s after ${killed.name} died` : ''}`);
  }

  #happen(what: string): void {
    this.#happened = `${new Date().toTimeString().slice(0, 8)}  ${what}`;
    this.#options.say(what);
  }

  #every(ms: number, work: () => Promise<void>): void {
    // An instance that does not answer is asked again.
    this.#timers.add(setInterval(() => void work().catch(() => undefined), ms));
  }
}
