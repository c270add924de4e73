import type { InspectionEvent } from 'xstate';
import type { ServerId } from '../../machines/ports.js';
import type { StartupAnswer, StartupQuery } from '../../server/pubsub/startupQuery.js';
import { HeapClock } from '../unit/machines/heapClock.js';
import { BrokenPromise } from './brokenPromise.js';
import type { Bug } from './bug.js';
import { forgetRoom } from './forgottenRooms.js';
import { happeningKinds } from './happenings.js';
import { intrude } from './intruders.js';
import type { Machines } from './machines.js';
import { mute } from './mutedServers.js';
import { Network } from './network.js';
import { Oracle } from './oracle.js';
import { drawPlan, type Plan } from './plan.js';
import { Host, type Reply } from './pubSubHost.js';
import { Random } from './random.js';
import { SimulatedService } from './simulatedService.js';
import { SimulatedStore } from './store.js';
import { Viewers } from './viewers.js';

export interface WorldOptions {
  readonly machines: Machines;
  /** Takes the lines of the trace. */
  readonly trace?: (line: string) => void;
  readonly inspect?: (event: InspectionEvent) => void;
  /** What has been broken on purpose. */
  readonly bug?: Bug | undefined;
}

/** Steps of the clock that no world comes near: it would never end. */
const maxSteps = 200_000;

/** One world: what the seed says of it, the service in it, and all that is outside the service. */
export class World {
  readonly clock = new HeapClock();
  readonly random: Random;
  /** Chance of what was added later, drawn apart: so the seeds of old worlds go on meaning the same. */
  readonly aside: Random;
  /** And of what was added after that. */
  readonly extras: Random;
  /** And of what came still later. */
  readonly further: Random;
  /** And of what the rooms table keeps. */
  readonly leavings: Random;
  /** And of who shares the address of a server. */
  readonly intrusions: Random;
  readonly plan: Plan;
  readonly network: Network;
  readonly store: SimulatedStore;
  readonly hosts: readonly Host[];
  readonly oracle: Oracle;
  readonly viewers: Viewers;
  readonly bug: Bug | undefined;
  /** Faults that happened, by kind. */
  readonly faults = new Map<string, number>();
  /** What was held against the truth, by kind: a world that checks nothing keeps every promise. */
  readonly checks = new Map<string, number>();
  service: SimulatedService | undefined;
  /** Whose actor fails at its next request. */
  defective: ServerId | undefined;
  steps = 0;
  #runs = 0;
  #broken: BrokenPromise | undefined;
  readonly #options: WorldOptions;

  constructor(seed: number, options: WorldOptions) {
    this.#options = options;
    this.bug = options.bug;
    this.random = new Random(seed);
    this.aside = new Random(seed ^ 0x51ed270b);
    this.extras = new Random(seed ^ 0x2545f491);
    this.further = new Random(seed ^ 0x7f4a7c15);
    this.leavings = new Random(seed ^ 0x1b873593);
    this.intrusions = new Random(seed ^ 0x38495ab5);
    this.plan = drawPlan(this.random, this.aside, this.further, this.intrusions);
    this.viewers = new Viewers(this);
    this.network = new Network(this);
    this.store = new SimulatedStore(this);
    this.oracle = new Oracle(this);
    this.hosts = this.plan.hosts.map((plan) => new Host(this, plan));
    this.clock.afterFiring = () => this.#afterStep();
  }

  /** Lives from its beginning to its end; throws the promise that it breaks. */
  live(): void {
    this.note(() => `plan ${JSON.stringify(this.plan)}`);
    if (this.random.chance(0.2)) this.#leaveActive();
    this.startService();
    this.advance(this.random.pick([0, 5, 100, 3000]));
    for (let i = 0; i < this.plan.happenings; i += 1) this.#happen();
    this.oracle.judgeEnding();
    this.#throwBroken();
    this.service?.stop();
  }

  get isCalm(): boolean {
    return this.network.isCalm;
  }

  get configured(): readonly ServerId[] {
    return this.plan.hosts.filter(({ isConfigured }) => isConfigured).map(({ id }) => id);
  }

  get nowMs(): number {
    return this.clock.nowMs;
  }

  advance(ms: number): void {
    this.clock.advance(ms);
    this.#afterStep();
  }

  later(ms: number, happen: () => void): void {
    this.clock.setTimeout(happen, ms);
  }

  /** One line of the trace, made only if somebody reads it. */
  note(line: () => string): void {
    this.#options.trace?.(`${this.clock.nowMs.toFixed(3).padStart(11)}  ${line()}`);
  }

  readonly countFault = (kind: string): void => {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  };

  countCheck(kind: string): void {
    this.checks.set(kind, (this.checks.get(kind) ?? 0) + 1);
  }

  /** Notes a broken promise; the world ends after this step, for an actor would swallow an exception. */
  fail(promise: string, why: string): void {
    this.#broken ??= new BrokenPromise(`${promise} (at ${this.clock.nowMs} ms): ${why}`);
  }

  heal(host: Host | undefined): void {
    if (!host || host.cuts.size === 0) return;
    this.note(() => `${host.id} is connected again`);
    host.cuts.clear();
    host.disturb();
    this.network.release(host);
  }

  breakActor(): void {
    const host = this.random.pick(this.hosts);
    this.defective = host?.id;
    host?.disturb();
  }

  startService(): void {
    const { machines, bug, inspect } = this.#options;
    this.#runs += 1;
    this.note(() => `the service starts, run ${this.#runs}`);
    for (const host of this.hosts) host.disturb();
    this.service = new SimulatedService(this, this.#runs, machines, bug, inspect);
    this.oracle.begin(this.service);
    this.service.start();
  }

  crashService(): void {
    if (!this.service?.isServing) return;
    this.note(() => 'the service crashes');
    this.viewers.loseStreams(this.service);
    this.service.stop();
    this.#endService();
  }

  shutDownService(): void {
    if (!this.service?.isServing) return;
    this.note(() => 'the service shuts down');
    this.viewers.loseStreams(this.service);
    this.service.shutDown(() => this.#endService());
  }

  /** A post that has arrived; the answer to it means nothing to whoever sent it. */
  takePost(address: string, eventsUrl: string, body: string): void {
    const { service } = this;
    if (!service) return;
    const outcome = service.takePost(address, eventsUrl, body);
    this.note(() => `${body} of ${address} is ${outcome}`);
    this.oracle.atPost(service, eventsUrl, body, outcome);
  }

  /** A start-up query that has arrived. */
  answerStartup(query: StartupQuery, tell: (answer: StartupAnswer) => void): void {
    this.service?.answerStartup(query, tell);
  }

  /** Whether the service still waits for the answer to a request with this URL. */
  awaits(server: ServerId, eventsUrl: string): boolean {
    return this.service?.requests.awaits(server, eventsUrl) === true;
  }

  /** One request of the service to whoever is at an address, and the way back. */
  exchange(
    server: ServerId,
    what: string,
    wish: { active: boolean; eventsUrl: string } | undefined,
    { answered, refused }: { answered: (reply: Reply) => void; refused: () => void },
  ): void {
    const host = this.hosts.find(({ id }) => id === server);
    this.note(() => `${what} goes out`);
    if (!host) {
      if (this.random.chance(0.5)) this.later(1, refused);
      return;
    }
    const reply = (given: Reply | 'refused') => {
      const deliver = () => (given === 'refused' ? refused() : answered(given));
      const back = `the answer to ${what}`;
      this.network.carry({
        host,
        direction: 'toService',
        kind: 'answer',
        what: back,
        deliver,
        reset: refused,
      });
    };
    const deliver = () => host.receive({ what, reply, ...(wish && { wish }) });
    this.network.carry({
      host,
      direction: 'toServer',
      kind: 'request',
      what,
      deliver,
      reset: refused,
    });
  }

  #happen(): void {
    const gap = this.random.weighted(this.plan.gaps);
    if (gap === 'soon') this.advance(this.random.between(1, 400));
    else if (gap === 'later') this.advance(this.random.between(400, 8000));
    else this.advance(this.random.between(0, 3));
    const kind = this.random.weighted(this.plan.weights);
    this.note(() => `* ${kind}`);
    if (happeningKinds[kind].isFault) this.countFault(kind);
    happeningKinds[kind].happen(this);
    if (this.further.chance(this.plan.forgetChance)) forgetRoom(this);
    if (this.further.chance(this.plan.muteChance)) mute(this);
    if (this.intrusions.chance(this.plan.intrudeChance)) intrude(this);
    this.#afterStep();
  }

  /** An earlier run of the service, of which nobody knows, has left servers active. */
  #leaveActive(): void {
    for (const { process } of this.hosts) {
      if (!process || this.random.chance(0.3)) continue;
      process.isActive = true;
      process.eventsUrl = 'http://dashboard/0/api/events?token=of-an-earlier-run';
      this.countFault('left active');
    }
  }

  #endService(): void {
    this.service = undefined;
    // What a killed process has sent may still be done, but that is a loss like others.
    if (!this.plan.isLossy) {
      this.network.forgetSent();
      for (const host of this.hosts) host.forgetWaiting();
    }
    if (this.isCalm) return;
    this.later(this.random.pick([1, 50, 2000, 6000]), () => {
      if (!this.service && !this.isCalm) this.startService();
    });
  }

  #afterStep(): void {
    this.steps += 1;
    if (this.steps > maxSteps) this.fail('7: unbreakable', `${maxSteps} steps, and no end`);
    this.oracle.afterStep();
    this.#throwBroken();
  }

  #throwBroken(): void {
    if (this.#broken) throw this.#broken;
  }
}
