import type { ServerId, ServerRequest } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import { hostAndPort } from '../../server/addresses.js';
import { judgeEnding } from './endings.js';
import type { Host } from './pubSubHost.js';
import { networks, type SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** From the last attempt of a retry to its answer, and what evidence waits for. */
const retryMs = 6250;
const graceMs = 750;
/** A thousand servers are told in slices. */
const slicesMs = 50;

/** Holds the promises of the service against the truth of a world: some at every step, the rest at its end. */
export class Oracle {
  readonly #world: World;
  /** Since when each server has been among those that are shown. */
  readonly #shownSinceMs = new Map<ServerId, number>();
  readonly #live = new Set<ServerId>();
  #shownBy: SimulatedService | undefined;
  /** Requests that the service has sent since it was activated, by server. */
  requests = 0;
  /** Comparisons with the truth: none would be a world that checks nothing. */
  comparisons = 0;

  constructor(world: World) {
    this.#world = world;
  }

  judgeEnding(): void {
    judgeEnding(this.#world, this);
  }

  /** How long after the last disturbance of a server its numbers may be wrong, without cooling. */
  get promptMs(): number {
    const { timing, isLossy } = this.#world.plan;
    const known = retryMs + graceMs + 3 * timing.requestTimeoutMs;
    return isLossy ? known + timing.resyncIntervalMs : known;
  }

  /** The same for a server whose evidence recurred: it may be set right ever more rarely, up to the resync. */
  boundMs(sinceMs: number): number {
    const { resyncIntervalMs } = this.#world.plan.timing;
    return this.promptMs + Math.min(resyncIntervalMs, 2 * sinceMs + 2000);
  }

  get overdueMs(): number {
    const { probeIntervalMs, requestTimeoutMs } = this.#world.plan.timing;
    return 3 * probeIntervalMs + requestTimeoutMs;
  }

  /** One request at a time to a server, none without a viewer but to be silent, none to a foreign address. */
  atRequest(service: SimulatedService, server: ServerId, { type }: ServerRequest): void {
    this.requests += 1;
    const { fail, now } = this.#tools();
    const other = service.requests.open.get(server);
    if (other) fail('one request at a time', `${type} to ${server} beside ${other.type}`);
    if (!networks.includes(hostAndPort(server).host)) fail('7: unbreakable', `asked ${server}`);
    if (type === 'silence.requested') return;
    const lingerMs = service.isShuttingDown ? 0 : this.#world.plan.timing.lingerMs;
    const unwatchedMs = service.watchers.length === 0 ? now - service.unwatchedSinceMs : 0;
    if (unwatchedMs > lingerMs + slicesMs)
      fail('1: silent', `${type} to ${server}, and nobody looks`);
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
  atAdmission(service: SimulatedService, admit: () => { frames: number; state: string }): void {
    const before = this.requests;
    const wasCounting = service.isCounting;
    const told = [...service.context.roster].map(({ isTold }) => isTold);
    const watcher = admit();
    if (watcher.frames === 0 || watcher.state === '')
      this.#world.fail('3: nobody waits', 'no frame');
    if (!wasCounting) return;
    const isSame = [...service.context.roster].every(({ isTold }, i) => isTold === told[i]);
    if (!isSame || this.requests > before)
      this.#world.fail('2: one broadcast', 'a second viewer sends');
  }

  /** Whatever somebody sends who has no token, no number changes by it. */
  aroundStranger(service: SimulatedService, what: string, send: () => void): void {
    const { roster, tally } = service.context;
    const counts = () => {
      const sizes = [...roster].map(({ server }) => ({ server, ...tally.sizeOf(server) }));
      return JSON.stringify(sizes.filter(({ rooms }) => rooms > 0));
    };
    const before = counts();
    // The actor of a server may meet its defect by a request that this brings about.
    const isSound = this.#world.defective === undefined;
    send();
    if (isSound && counts() !== before)
      this.#world.fail('7: unbreakable', `${what} changes ${before}`);
  }

  afterStep(): void {
    const { service, clock } = this.#world;
    if (service !== this.#shownBy) {
      this.#shownSinceMs.clear();
      this.#live.clear();
    }
    this.#shownBy = service;
    if (!service || service.isStopped) return;
    const { tally, roster } = service.context;
    for (const [room, count] of tally.totals)
      if (!Number.isInteger(count) || count < 1)
        this.#world.fail('4: exact', `"${room}" is ${count}`);
    if (clock.pending > 400 + 20 * this.#world.hosts.length)
      this.#world.fail('7: unbreakable', `${clock.pending} timers`);
    for (const member of roster.shown()) this.#checkHonest(service, member);
    if (service.isShuttingDown) return;
    for (const host of this.#world.hosts) this.#follow(service, host);
  }

  /** How the counts of a server differ from what it holds; nothing: they are the same. */
  differenceAt(service: SimulatedService, host: Host): string | undefined {
    this.comparisons += 1;
    const { tally } = service.context;
    for (const room of this.#world.plan.rooms) {
      const shown = tally.countOn(host.id, room);
      const true_ = host.process?.rooms.get(room) ?? 0;
      if (shown !== true_) return `${host.id} has ${true_} in "${room}", ${shown} are shown`;
    }
    return undefined;
  }

  /** A server that nothing has been done to for long enough is right, whatever befalls the others. */
  #follow(service: SimulatedService, host: Host): void {
    const member = service.context.roster.get(host.id);
    if (!member || member.standing === 'candidate') {
      this.#shownSinceMs.delete(host.id);
      if (this.#live.delete(host.id))
        this.#world.fail('6: self-healing', `${host.id} was live, and let go`);
      return;
    }
    if (member.status === 'live') this.#live.add(host.id);
    else this.#live.delete(host.id);
    const { nowMs, network } = this.#world;
    const shownSinceMs = this.#shownSinceMs.get(host.id) ?? nowMs;
    this.#shownSinceMs.set(host.id, shownSinceMs);
    const sinceMs = Math.max(shownSinceMs, host.undisturbedSinceMs, service.activatedAtMs);
    if (nowMs - sinceMs <= this.promptMs || nowMs - sinceMs <= this.boundMs(sinceMs)) return;
    if (!service.isCounting || !host.isUp || host.cuts.size > 0) return;
    if (network.hasDeltasOf(host)) return;
    const difference = this.differenceAt(service, host);
    if (difference) this.#world.fail('3 and 4: exact, whatever others do', difference);
  }

  /** What is not heard of is said to be so in time, and loses its counts. */
  #checkHonest(service: SimulatedService, { server, status }: Member): void {
    const answeredAtMs = service.requests.answeredAtMs.get(server) ?? service.startedAtMs;
    const silentMs = this.#world.nowMs - answeredAtMs;
    const isHeard = status === 'live' || status === 'stale';
    if (isHeard && silentMs > this.overdueMs + 1)
      this.#world.fail('5: honest', `${server} is ${status}, unheard of for ${silentMs} ms`);
    const { connections } = service.context.tally.sizeOf(server);
    if (connections > 0 && silentMs > 2 * this.overdueMs + slicesMs)
      this.#world.fail('5: honest', `${server} is ${status}, its counts ${silentMs} ms old`);
  }

  #tools() {
    const { nowMs } = this.#world;
    return { now: nowMs, fail: this.#world.fail.bind(this.#world) };
  }
}
