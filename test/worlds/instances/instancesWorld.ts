import type { InspectionEvent } from 'xstate';
import type { ServerId } from '../../../machines/ports.js';
import type { StartupAnswer, StartupQuery } from '../../../server/pubsub/startupQuery.js';
import { HeapClock } from '../../unit/machines/heapClock.js';
import { BrokenPromise } from '../brokenPromise.js';
import { Network, type NetworkWorld } from '../network.js';
import { Host, type HostWorld } from '../pubSubHost.js';
import { Random } from '../random.js';
import { Balancer } from './balancer.js';
import { CurrentClock } from './currentClock.js';
import type { InstanceMachines } from './instanceMachines.js';
import type { InstancesBug } from './instancesBug.js';
import { judgeInstancesEnding } from './instancesEnding.js';
import { instancesHappenings } from './instancesHappenings.js';
import { InstancesOracle } from './instancesOracle.js';
import { drawInstancesPlan, type InstancesPlan } from './instancesPlan.js';
import { InstancesRedis } from './instancesRedis.js';
import { Links } from './links.js';
import { People } from './people.js';
import { bringTogether } from './rareMoments.js';
import { SimulatedInstance } from './simulatedInstance.js';
import { Site } from './site.js';

export interface InstancesWorldOptions {
  readonly machines: InstanceMachines;
  readonly trace?: (line: string) => void;
  readonly inspect?: (event: InspectionEvent) => void;
  readonly bug?: InstancesBug | undefined;
}

const maxSteps = 400_000;
/** An instance has told Redis of a server after this time, at the second attempt. */
const tellingMs = 1500;

/** One world of several instances, and all that is around them: servers, Redis, links, viewers. */
export class InstancesWorld implements HostWorld, NetworkWorld {
  readonly clock = new HeapClock();
  readonly time = new CurrentClock(this.clock);
  readonly random: Random;
  readonly extras: Random;
  readonly further: Random;
  /** Chance of what was added later. */
  readonly aside: Random;
  readonly plan: InstancesPlan;
  readonly bug: InstancesBug | undefined;
  readonly links: Links;
  readonly network: Network;
  readonly redis: InstancesRedis;
  readonly sites: readonly Site[];
  readonly hosts: readonly Host[];
  readonly balancer: Balancer;
  readonly people: People;
  readonly oracle: InstancesOracle;
  readonly faults = new Map<string, number>();
  readonly checks = new Map<string, number>();
  steps = 0;
  /** From now on nothing fails. */
  isCalm = false;
  isReplacing = false;
  /** When the last fault began or ended. */
  disturbedAtMs = 0;
  /** When a server last held something else than before. */
  changedAtMs = 0;
  /** By room. */
  readonly roomChangedAtMs = new Map<string, number>();
  /** When somebody last looked, at any instance. */
  watchedAtMs = 0;
  /** When numbers last could not be kept: a fault went on, no instance was ready, or nobody had looked for too long. */
  brokenOffAtMs = 0;
  /** The server that a late request of a dead leader will silence, after the first request of the next leader. */
  unsent: { host: Host | undefined; untilMs: number } | undefined;
  /** Servers that asked, by whom they were answered, and when. */
  readonly introduced = new Map<ServerId, { by: SimulatedInstance; atMs: number }>();
  /** Servers that Redis remembers. */
  readonly remembered = new Set<ServerId>();
  /** Faults that go on. */
  readonly ongoing = new Set<object>();
  #processes = 0;
  #broken: BrokenPromise | undefined;
  readonly #options: InstancesWorldOptions;

  constructor(seed: number, options: InstancesWorldOptions) {
    this.#options = options;
    this.bug = options.bug;
    this.random = new Random(seed ^ 0x6a09e667);
    this.extras = new Random(seed ^ 0x3c6ef372);
    this.further = new Random(seed ^ 0x510e527f);
    this.aside = new Random(seed ^ 0x1f83d9ab);
    this.plan = drawInstancesPlan(this.random);
    this.links = new Links(this);
    this.network = new Network(this);
    this.hosts = this.plan.hosts.map((plan) => new Host(this, plan));
    this.oracle = new InstancesOracle(this);
    this.redis = new InstancesRedis(this);
    this.sites = Array.from({ length: this.plan.instances }, (_, i) => new Site(this, `i${i + 1}`));
    this.balancer = new Balancer(this);
    this.people = new People(this);
    this.clock.afterFiring = () => this.#afterStep();
  }

  live(): void {
    this.note(() => `plan ${JSON.stringify(this.plan)}`);
    for (const site of this.sites) this.later(this.random.between(0, 500), () => site.start());
    this.advance(this.random.pick([0, 100, 3000, 8000]));
    for (let i = 0; i < this.plan.happenings; i += 1) this.#happen();
    judgeInstancesEnding(this);
    this.#throwBroken();
    for (const { process } of this.sites) process?.end();
  }

  get nowMs(): number {
    return this.clock.nowMs;
  }

  get configured(): readonly ServerId[] {
    return this.plan.hosts.filter(({ isConfigured }) => isConfigured).map(({ id }) => id);
  }

  get machines(): InstanceMachines {
    return this.#options.machines;
  }

  get inspect() {
    return this.#options.inspect;
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.#afterStep();
  }

  later(ms: number, happen: () => void): number {
    return this.clock.setTimeout(happen, ms);
  }

  /** Part of a fault, which the end of all faults anticipates. */
  faultLater(ms: number, happen: () => void): void {
    let hasHappened = false;
    const once = () => {
      if (hasHappened) return;
      hasHappened = true;
      this.#pendingFaults.delete(once);
      happen();
    };
    this.#pendingFaults.add(once);
    this.later(this.isCalm ? 0 : ms, once);
  }

  readonly #pendingFaults = new Set<() => void>();

  /** All faults end, and everything that should run runs. */
  calm(): void {
    this.note(() => 'from now on nothing fails');
    this.isCalm = true;
    this.network.isCalm = true;
    for (const happen of [...this.#pendingFaults]) happen();
    this.links.healAll();
    this.redis.comeBack();
    for (const host of this.hosts) {
      host.cuts.clear();
      if (host.isHung) host.resume();
      if (!host.process && this.isKnown(host)) host.start();
      this.network.release(host);
    }
    for (const site of this.sites) {
      site.wake();
      if (!site.process?.isShuttingDown) site.start();
    }
    this.disturb(() => 'all faults have ended');
  }

  note(line: () => string): void {
    this.#options.trace?.(`${this.clock.nowMs.toFixed(3).padStart(11)}  ${line()}`);
  }

  readonly countFault = (kind: string): void => {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  };

  countCheck(kind: string): void {
    this.checks.set(kind, (this.checks.get(kind) ?? 0) + 1);
  }

  fail(promise: string, why: string): void {
    this.#broken ??= new BrokenPromise(`${promise} (at ${this.clock.nowMs} ms): ${why}`);
  }

  /** Something happened after which viewers may see wrong numbers for a while. */
  disturb(line: () => string): void {
    this.note(line);
    this.disturbedAtMs = this.nowMs;
  }

  /** A fault begins; the function that is returned ends it. */
  begin(what: string): () => void {
    const fault = {};
    this.disturb(() => `begins: ${what}`);
    this.ongoing.add(fault);
    return () => {
      if (this.ongoing.delete(fault)) this.disturb(() => `ends: ${what}`);
    };
  }

  /** What servers hold has changed, in a room or in all. */
  noteChange(room?: string): void {
    this.changedAtMs = this.nowMs;
    const rooms = room === undefined ? this.plan.rooms : [room];
    for (const each of rooms) this.roomChangedAtMs.set(each, this.nowMs);
  }

  /** A server was told to be active. */
  noteActivity(host: Host): void {
    if (this.unsent?.host !== host || this.nowMs > this.unsent.untilMs) return;
    this.unsent = undefined;
    this.later(this.aside.between(50, 300), () => {
      this.countFault('silence of a leader that has ended');
      host.disturb();
      const what = 'a silence of the leader before';
      host.receive({ what, wish: { active: false, eventsUrl: '' }, reply: () => {} });
    });
  }

  newProcess(site: Site): SimulatedInstance {
    this.#processes += 1;
    return new SimulatedInstance(this, site, `run${this.#processes}`);
  }

  siteAt(url: string): Site | undefined {
    return this.sites.find((site) => url.startsWith(`${site.url}/`) || url === site.url);
  }

  whenEnded(site: Site, happen: () => void): void {
    const { process } = site;
    const look = () => (site.process === process ? this.later(100, look) : happen());
    look();
  }

  whenReady(site: Site, happen: () => void): void {
    const look = () => (site.isHealthy || this.isCalm ? happen() : this.later(100, look));
    look();
  }

  /** A post that has arrived where its URL leads. */
  takePost(address: string, eventsUrl: string, body: string): void {
    const site = this.plan.isBalanced ? this.balancer.pick() : this.siteAt(eventsUrl);
    if (!site?.process?.isListening || !this.links.isOpen('servers', site.name)) {
      this.note(() => `${body} of ${address} reaches nobody`);
      return;
    }
    const { process } = site;
    process.clock.run(() => process.takePost(address, eventsUrl, body));
  }

  /** A start-up query asks any instance. */
  answerStartup(query: StartupQuery, tell: (answer: StartupAnswer) => void): void {
    const site = this.balancer.pick();
    if (!site?.process?.isListening || !this.links.isOpen('servers', site.name)) return;
    const { process } = site;
    process.clock.run(() =>
      process.answerStartup(query, (answer) =>
        this.time.outside(() => {
          this.#introduce(query, process);
          tell(answer);
        }),
      ),
    );
  }

  /** Whether a leader must know of it, or does. */
  isKnown({ id, plan }: Host): boolean {
    if (plan.isConfigured || this.introduced.has(id)) return true;
    return this.sites.some(({ process }) => process?.fleet?.isCounting(id));
  }

  /** A server that asks during a fault may be forgotten, with the only instance that knows it. */
  #introduce({ address }: StartupQuery, by: SimulatedInstance): void {
    const host = this.hosts.find(({ plan }) => plan.address === address);
    if (!host || this.introduced.has(host.id) || this.ongoing.size > 0) return;
    this.introduced.set(host.id, { by, atMs: this.nowMs });
    this.noteChange();
  }

  /** An instance is killed. Those that asked it just now may be forgotten: a message to Redis may have been lost. */
  forgetIntroductions(process: SimulatedInstance): void {
    for (const [id, { by, atMs }] of this.introduced)
      if (by === process && this.nowMs - atMs < tellingMs) this.introduced.delete(id);
  }

  awaits(server: ServerId, eventsUrl: string): boolean {
    return this.sites.some(({ process }) => process?.requests.awaits(server, eventsUrl));
  }

  #happen(): void {
    const gap = this.random.weighted(this.plan.gaps);
    if (gap === 'soon') this.advance(this.random.between(1, 600));
    else if (gap === 'later') this.advance(this.random.between(600, 10_000));
    else this.advance(this.random.between(0, 3));
    const kind = this.random.weighted(this.plan.weights);
    this.note(() => `* ${kind}`);
    if (instancesHappenings[kind].isFault) this.countFault(kind);
    instancesHappenings[kind].happen(this);
    bringTogether(this);
    this.#afterStep();
  }

  #afterStep(): void {
    this.steps += 1;
    if (this.steps > maxSteps) this.fail('unbreakable', `${maxSteps} steps, and no end`);
    if (this.sites.some(({ process }) => (process?.streams.size ?? 0) > 0))
      this.watchedAtMs = this.nowMs;
    const isForgotten = this.nowMs - this.watchedAtMs > this.plan.timing.lingerMs;
    const isBroken = this.ongoing.size > 0 || !this.sites.some(({ isHealthy }) => isHealthy);
    if (isBroken || isForgotten) this.brokenOffAtMs = this.nowMs;
    this.oracle.afterStep();
    this.#throwBroken();
  }

  #throwBroken(): void {
    if (this.#broken) throw this.#broken;
  }
}
