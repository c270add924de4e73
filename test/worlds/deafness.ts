import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { Connections, ServerId } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import { isRecurrencePausing } from './evidence.js';
import { isShownRight, promptMs } from './exactness.js';
import type { Remembered } from './memory.js';
import { inboxMs } from './network.js';
import type { Host } from './pubSubHost.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** Of sums of times. */
const roundingMs = 0.01;
/** So many snapshots in a row that say what no post did, and the time for late ones, make a server deaf. */
const missedLimit = 2;

/** What snapshots of a server said that no post did. */
interface Missed {
  readonly ref: Member['ref'];
  times: number;
  /** When the last of those came that are needed. */
  atMs: number;
}

/**
 * Promise 5 where the posts of a server do not arrive: it is called deaf in time, its wrong numbers are
 * not called complete for long, and no server is called deaf without a change that it could not tell.
 */
export class Deafness {
  readonly #world: World;
  readonly #service: SimulatedService;
  readonly #missed = new Map<ServerId, Missed>();
  /** Servers that posted since their last snapshot. */
  readonly #posted = new Set<ServerId>();
  readonly #wrongSinceMs = new Map<ServerId, number>();

  constructor(
    world: World,
    service: SimulatedService,
    remembered: () => ReadonlyMap<ServerId, Remembered>,
  ) {
    this.#world = world;
    this.#service = service;
    const { tally } = service.context;
    const record = tally.record.bind(tally);
    tally.record = (post) => {
      this.#posted.add(post.server);
      this.#missed.delete(post.server);
      return record(post);
    };
    const merge = tally.merge.bind(tally);
    tally.merge = (server, epoch, snapshot) => {
      const { base, counts } = remembered().get(server) ?? {};
      const before = base === undefined ? undefined : textOf(counts?.rooms ?? new Map());
      const isUsed = tally.accepts(server, epoch);
      const isUnexplained = merge(server, epoch, snapshot);
      const after = textOf(remembered().get(server)?.counts.rooms ?? new Map());
      const isPart = world.plan.isLimited;
      if (isUsed && before !== undefined && !isPart && !this.#posted.has(server))
        if (before !== after) this.#noteMissed(server);
      if (isUsed) this.#posted.delete(server);
      return isUnexplained;
    };
  }

  /** Who has just started may have been silent before. */
  atEvent(event: ActivationEvent): void {
    if (event.type !== 'startup.answered') return;
    for (const server of event.servers) this.#missed.delete(server);
  }

  check(): void {
    for (const host of this.#world.hosts) {
      const member = this.#service.context.roster.get(host.id);
      if (!member || member.standing === 'candidate') this.#wrongSinceMs.delete(host.id);
      else this.#follow(host, member);
    }
  }

  #noteMissed(server: ServerId): void {
    const ref = this.#service.context.roster.get(server)?.ref;
    if (!ref) return;
    const before = this.#missed.get(server);
    const times = (before?.ref === ref ? before.times : 0) + 1;
    const isEnough = before?.ref === ref && before.times >= missedLimit;
    const atMs = isEnough ? before.atMs : this.#world.nowMs;
    this.#missed.set(server, { ref, times, atMs });
  }

  #follow(host: Host, member: Member): void {
    if (!this.#service.isCounting || !member.isTold) {
      this.#missed.delete(host.id);
      this.#wrongSinceMs.delete(host.id);
      return;
    }
    if (member.status === 'deaf') this.#checkReason(host);
    else if (member.status === 'live') this.#checkSaid(member);
    this.#checkWrong(host, member);
  }

  /** Something has changed on a deaf server since its last post arrived, and was not told in time. */
  #checkReason({ id, untoldSinceMs, toldAtMs }: Host): void {
    const { nowMs, plan } = this.#world;
    // The inbox may have it still.
    if (nowMs - toldAtMs <= inboxMs) return;
    this.#world.countCheck('a deaf server');
    if (nowMs - untoldSinceMs < plan.timing.requestTimeoutMs - inboxMs)
      this.#world.fail('5: honest', `${id} is called deaf, and all that it posted arrived`);
  }

  #checkSaid({ server, ref }: Member): void {
    const missed = this.#missed.get(server);
    if (missed?.ref !== ref || missed.times < missedLimit) return;
    const { nowMs, plan } = this.#world;
    if (nowMs - missed.atMs > plan.timing.requestTimeoutMs + roundingMs)
      this.#world.fail('5: honest', `${server} is deaf, and shown live`);
  }

  /** What is wrong does not stay complete for longer than from one snapshot to the next. */
  #checkWrong(host: Host, member: Member): void {
    const { nowMs, plan } = this.#world;
    const isFollowed = host.isMuted && host.isUp && host.cuts.size === 0 && !host.isMistaken;
    const isPausing = isRecurrencePausing(this.#service, member);
    if (
      !isFollowed ||
      isPausing ||
      member.status !== 'live' ||
      isShownRight(this.#world, this.#service, host)
    ) {
      this.#wrongSinceMs.delete(host.id);
      return;
    }
    const sinceMs = Math.max(this.#wrongSinceMs.get(host.id) ?? nowMs, host.undisturbedSinceMs);
    this.#wrongSinceMs.set(host.id, sinceMs);
    this.#world.countCheck('wrong, while no post arrives');
    if (nowMs - sinceMs > promptMs(this.#world) + plan.timing.probeIntervalMs)
      this.#world.fail('5: honest', `${host.id} is live and wrong for ${nowMs - sinceMs} ms`);
  }
}

const textOf = (rooms: Connections) =>
  JSON.stringify([...rooms].sort(([a], [b]) => (a < b ? -1 : 1)));
