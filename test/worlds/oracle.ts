import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { ServerAnswer, ServerId, ServerRequest } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import { hostAndPort } from '../../server/addresses.js';
import { checkDeadlines } from './deadlines.js';
import { Deafness } from './deafness.js';
import { Departures } from './departures.js';
import { Doubts } from './doubts.js';
import { judgeEnding } from './endings.js';
import { Exactness } from './exactness.js';
import { LimitCheck } from './limits.js';
import { MemoryCheck } from './memory.js';
import { RequestLedger } from './requestLedger.js';
import { networks, type SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** A thousand servers are told in slices. */
const slicesMs = 50;
const crowd = { size: 200, steps: 16 };

/** What is followed of one run of the service. */
interface Followed {
  readonly service: SimulatedService;
  readonly exactness: Exactness;
  readonly doubts: Doubts;
  readonly deafness: Deafness;
  readonly ledger: RequestLedger;
  readonly limits: LimitCheck;
  readonly memory: MemoryCheck;
  readonly departures: Departures;
}

/** Holds the promises of the service against the truth of a world: some at every step, the rest at its end. */
export class Oracle {
  readonly #world: World;
  #followed: Followed | undefined;
  /** Requests that the service has sent since it was activated, by server. */
  requests = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** A run of the service is about to start. */
  begin(service: SimulatedService): void {
    const world = this.#world;
    const memory = new MemoryCheck(world, service);
    this.#followed = {
      service,
      exactness: new Exactness(world, service),
      doubts: new Doubts(world, service, memory),
      deafness: new Deafness(world, service, () => memory.servers),
      ledger: new RequestLedger(world, service),
      limits: new LimitCheck(world, service),
      memory,
      departures: new Departures(world, service),
    };
  }

  judgeEnding(): void {
    judgeEnding(this.#world, this);
  }

  get overdueMs(): number {
    const { probeIntervalMs, requestTimeoutMs } = this.#world.plan.timing;
    return 3 * probeIntervalMs + requestTimeoutMs;
  }

  /** One request at a time to a server, none without a viewer but to be silent, none to a foreign address. */
  atRequest(service: SimulatedService, server: ServerId, request: ServerRequest): void {
    this.requests += 1;
    const { type } = request;
    const { fail, now } = this.#tools();
    const other = service.requests.open.get(server);
    if (other) fail('one request at a time', `${type} to ${server} beside ${other.type}`);
    if (!networks.includes(hostAndPort(server).host)) fail('7: unbreakable', `asked ${server}`);
    this.#followed?.ledger.atRequest(server, request);
    if (type === 'silence.requested') return;
    const lingerMs = service.isShuttingDown ? 0 : this.#world.plan.timing.lingerMs;
    const unwatchedMs = service.watchers.length === 0 ? now - service.unwatchedSinceMs : 0;
    if (unwatchedMs > lingerMs + slicesMs)
      fail('1: silent', `${type} to ${server}, and nobody looks`);
  }

  atAnswer(server: ServerId, request: ServerRequest, answer: ServerAnswer): void {
    this.#followed?.ledger.atAnswer(server, request, answer);
  }

  /** An event from outside, just before the root takes it. */
  atEvent(event: ActivationEvent): void {
    this.#followed?.ledger.atEvent(event);
    this.#followed?.deafness.atEvent(event);
  }

  /** What a running service has given a token for, it takes. */
  atPost(service: SimulatedService, url: string, body: string, outcome: string): void {
    if (
      outcome === 'unknown' &&
      service.owns(url) &&
      !url.includes('AAAA') &&
      !url.endsWith('__proto__')
    )
      this.#world.fail('4: exact', `${body} was refused under a token of this run`);
  }

  /** A viewer has a whole state at once; a second one, or one in the linger time, sends nothing. */
  atAdmission(service: SimulatedService, admit: () => { isWelcome: boolean }): void {
    const before = this.requests;
    const wasCounting = service.isCounting;
    const told = [...service.context.roster].map(({ isTold }) => isTold);
    const watcher = admit();
    if (!watcher.isWelcome) this.#world.fail('3: nobody waits', 'no frame');
    if (!wasCounting) return;
    const isSame = [...service.context.roster].every(({ isTold }, i) => isTold === told[i]);
    if (!isSame || this.requests > before)
      this.#world.fail('2: one broadcast', 'a second viewer sends');
  }

  afterStep(): void {
    const { service, clock, hosts, viewers } = this.#world;
    if (!service || service.isStopped || this.#followed?.service !== service) return;
    const { tally, roster } = service.context;
    for (const [room, count] of tally.totals)
      if (!Number.isInteger(count) || count < 1)
        this.#world.fail('4: exact', `"${room}" is ${count}`);
    const timers = clock.pending - this.#world.network.underWay;
    if (timers > 400 + 20 * (hosts.length + roster.candidates))
      this.#world.fail('7: unbreakable', `${timers} timers`);
    for (const member of roster.shown()) this.#checkHonest(service, member);
    viewers.checkSent();
    const { limits, exactness, doubts, deafness } = this.#followed;
    limits.check();
    doubts.check();
    deafness.check();
    if (!service.isShuttingDown) exactness.check();
    // In a crowd of strangers now and then is often enough: each of them is followed for seconds.
    if (roster.candidates < crowd.size || this.#world.steps % crowd.steps === 0)
      this.#checkAll(this.#followed);
    else this.#followed.ledger.observeShown();
  }

  #checkAll({ service, ledger, memory, departures }: Followed): void {
    checkDeadlines(this.#world, service);
    ledger.observe();
    memory.check();
    departures.check();
  }

  /** What is not heard of is said to be so in time, and loses its counts. */
  #checkHonest(service: SimulatedService, { server, status, isTold }: Member): void {
    const { tally } = service.context;
    const answeredAtMs = service.requests.answeredAtMs.get(server) ?? service.startedAtMs;
    const silentMs = this.#world.nowMs - answeredAtMs;
    const isHeard = status === 'live' || status === 'stale';
    if (isHeard && silentMs > this.overdueMs + 1)
      this.#world.fail('5: honest', `${server} is ${status}, unheard of for ${silentMs} ms`);
    if (status === 'live' && isTold && service.isCounting && tally.baseOf(server) === undefined)
      this.#world.fail('5: honest', `${server} is live, and nothing is known of it`);
    const { connections } = tally.sizeOf(server);
    if (connections > 0 && silentMs > 2 * this.overdueMs + slicesMs)
      this.#world.fail('5: honest', `${server} is ${status}, its counts ${silentMs} ms old`);
  }

  #tools() {
    const { nowMs } = this.#world;
    return { now: nowMs, fail: this.#world.fail.bind(this.#world) };
  }
}
