import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { ServerAnswer, ServerId, ServerRequest } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import { spreadOf } from '../../machines/spread.js';
import { correctionIntervalMs } from './evidence.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** What one server may be asked for: each reason is good for one request. */
interface Account {
  readonly ref: Member['ref'];
  readonly jitter: number;
  /** Since when there is each of them. */
  readonly reasons: Map<Reason, number>;
  /** Whether something that was sent to it may yet be applied. */
  isUnconfirmed: boolean;
  /** A start-up query was answered while it could not be set right: confirmed after that. */
  isStartupNoted: boolean;
  confirmationDueMs: number;
  resyncDueMs: number;
  probeDueMs: number;
  /** When it came to be due, perhaps beside a request, after which it goes out. */
  probeDueSinceMs: number | undefined;
  /** The number of the time in which it may not be set right again; none: there is no such time. */
  cooling: number | undefined;
  coolingSinceMs: number;
}

type Reason =
  | 'a new wish'
  | 'a failure'
  | 'another wish for updates'
  | 'evidence'
  | 'a confirmation'
  | 'a resync'
  | 'a look for what was not posted'
  | 'a snapshot that came too late';

const never = Number.POSITIVE_INFINITY;
/** Of sums of times. */
const roundingMs = 0.01;

/** Promise 2, to the request: no server is asked for anything without a reason that nobody has used up. */
export class RequestLedger {
  readonly #world: World;
  readonly #service: SimulatedService;
  readonly #accounts = new Map<ServerId, Account>();
  /** Servers that come to be known by the start-up query that they are answered. */
  readonly #newcomers = new Set<ServerId>();
  #wished: string | undefined;
  #updateViewers = 0;
  /** The first moment since the last look at all in which nobody looked at candidates. */
  #unseenSinceMs: number | undefined;

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
  }

  /** Looks at what each actor has come to. */
  observe(): void {
    const { roster } = this.#service.context;
    this.#observeWish();
    for (const member of roster) this.#accountOf(member);
    this.#unseenSinceMs = undefined;
    if (this.#accounts.size <= roster.size + roster.candidates) return;
    for (const server of this.#accounts.keys())
      if (!roster.get(server)) this.#accounts.delete(server);
  }

  /** Looks at those that are shown alone: what is seen of others next may have come to be in this step. */
  observeShown(): void {
    for (const member of this.#service.context.roster.shown()) this.#accountOf(member);
    this.#unseenSinceMs ??= this.#world.nowMs;
  }

  atRequest(server: ServerId, request: ServerRequest): void {
    const { type } = request;
    if (type === 'activity.requested' && request.withUpdates !== this.#updateViewers > 0)
      this.#world.fail('2: one broadcast', `${server} is wrongly told of updates`);
    this.#observeWish();
    const member = this.#service.context.roster.get(server);
    if (!member) {
      this.#world.fail('2: one broadcast', `${server} is asked, and not known`);
      return;
    }
    const account = this.#accountOf(member);
    // Where posts are missing a snapshot is asked for in place of a probe.
    const isLook = account.probeDueSinceMs !== undefined && isMissingPosts(member);
    if (isLook) account.reasons.set('a look for what was not posted', this.#world.nowMs);
    if (type !== 'probe.requested') this.#useReasons(member, type, account);
    else if (account.probeDueSinceMs === undefined)
      this.#world.fail('2: one broadcast', `${server} is probed, and answered just now`);
    // One that comes to be due in this moment may do so beside the request.
    const { probeDueSinceMs = Number.NEGATIVE_INFINITY } = account;
    if (type === 'probe.requested' || probeDueSinceMs < this.#world.nowMs - 2 * roundingMs)
      account.probeDueSinceMs = undefined;
  }

  atAnswer(server: ServerId, { type }: ServerRequest, answer: ServerAnswer): void {
    const { context } = this.#service;
    const member = context.roster.get(server);
    if (!member) return;
    const account = this.#accountOf(member);
    if (answer.type === 'request.failed') {
      account.reasons.set('a failure', this.#world.nowMs);
      if (type !== 'probe.requested') doubtApplied(account);
      return;
    }
    const { nowMs, plan } = this.#world;
    account.probeDueMs =
      nowMs + plan.timing.probeIntervalMs * (0.8 + account.jitter / 5) - roundingMs;
    if (answer.type !== 'snapshot.received') return;
    // Who has been told to be silent since is asked for no other snapshot.
    if (context.roster.wished === 'silence' && member.isTold) return;
    if (context.tally.accepts(server, answer.epoch)) this.#plan(account);
    else account.reasons.set('a snapshot that came too late', this.#world.nowMs);
  }

  /** An event from outside, just before the root takes it. */
  atEvent(event: ActivationEvent): void {
    const { roster } = this.#service.context;
    if (event.type === 'updates.watched' || event.type === 'updates.unwatched') {
      const wereWished = this.#updateViewers > 0;
      this.#updateViewers += event.type === 'updates.watched' ? 1 : -1;
      if (wereWished !== this.#updateViewers > 0)
        for (const member of roster)
          this.#accountOf(member).reasons.set('another wish for updates', this.#world.nowMs);
    }
    if (event.type === 'evidence.found') this.#lookAt(event.servers);
    if (event.type !== 'startup.answered') return;
    for (const server of event.servers) {
      const member = roster.get(server);
      if (!member) {
        this.#newcomers.add(server);
        continue;
      }
      const account = this.#accountOf(member);
      if (account.cooling === undefined) doubtApplied(account);
      else account.isStartupNoted = true;
    }
  }

  /** How it was with them before something is said of them. */
  #lookAt(servers: readonly ServerId[]): void {
    for (const server of servers) {
      const member = this.#service.context.roster.get(server);
      if (member) this.#accountOf(member);
    }
  }

  #observeWish(): void {
    const { roster } = this.#service.context;
    if (roster.wished === this.#wished) return;
    this.#wished = roster.wished;
    for (const account of this.#accounts.values()) {
      account.reasons.set('a new wish', this.#world.nowMs);
      account.confirmationDueMs = never;
      account.resyncDueMs = never;
    }
  }

  /** The account of a server, up to this moment. */
  #accountOf({ server, ref }: Member): Account {
    let account = this.#accounts.get(server);
    if (account?.ref !== ref) {
      account = newAccount(server, ref, this.#newcomers.delete(server) || account !== undefined);
      this.#accounts.set(server, account);
    }
    this.#observeEvidence(server, account);
    const { nowMs } = this.#world;
    if (account.probeDueMs <= nowMs) {
      account.probeDueSinceMs = account.probeDueMs;
      account.probeDueMs = never;
    }
    if (account.resyncDueMs <= nowMs) {
      account.reasons.set('a resync', account.resyncDueMs);
      account.resyncDueMs = never;
    }
    if (account.confirmationDueMs <= nowMs) {
      account.reasons.set('a confirmation', account.confirmationDueMs);
      account.confirmationDueMs = never;
      account.isUnconfirmed = false;
    }
    return account;
  }

  #observeEvidence(server: ServerId, account: Account): void {
    const actor = account.ref.getSnapshot();
    const cooling = actor.matches({ evidence: 'cooling' }) ? actor.context.recurrences : undefined;
    if (cooling === account.cooling) return;
    account.cooling = cooling;
    if (account.isStartupNoted) account.isUnconfirmed = true;
    account.isStartupNoted = false;
    if (cooling === undefined) return;
    const { nowMs } = this.#world;
    account.reasons.set('evidence', this.#world.nowMs);
    if (nowMs - account.coolingSinceMs < correctionIntervalMs - roundingMs)
      this.#world.fail('2: one broadcast', `${server} is set right again at once`);
    account.coolingSinceMs = this.#unseenSinceMs ?? nowMs;
  }

  /** When it is to be asked again after a snapshot. */
  #plan(account: Account): void {
    const { nowMs, plan } = this.#world;
    const { resyncIntervalMs, requestTimeoutMs } = plan.timing;
    account.resyncDueMs = never;
    account.confirmationDueMs = never;
    if (account.isUnconfirmed) account.confirmationDueMs = nowMs + requestTimeoutMs - roundingMs;
    else account.resyncDueMs = nowMs + resyncIntervalMs * (0.9 + account.jitter / 10) - roundingMs;
  }

  /** Uses up what the request is for. */
  #useReasons({ server, isTold }: Member, type: string, { reasons }: Account): void {
    const { nowMs } = this.#world;
    const [first] = reasons.keys();
    if (first === undefined)
      this.#world.fail('2: one broadcast', `${type} to ${server} for nothing`);
    // A wish that it has not heard of yet brings a request of its own; this one is for what was before.
    const wishedMs = isTold ? undefined : reasons.get('a new wish');
    const before = [...reasons].filter(([, atMs]) => atMs < nowMs - 2 * roundingMs);
    // What came up in this moment may have come when the request was on its way out.
    for (const [reason] of before) reasons.delete(reason);
    if (before.length === 0 && first !== undefined) reasons.delete(first);
    if (wishedMs !== undefined) reasons.set('a new wish', wishedMs);
  }
}

const isMissingPosts = ({ ref }: Member) => ref.getSnapshot().context.missed > 0;

function newAccount(server: ServerId, ref: Member['ref'], isUnconfirmed: boolean): Account {
  return {
    ref,
    jitter: spreadOf(server),
    reasons: new Map([['a new wish', Number.NEGATIVE_INFINITY]]),
    isUnconfirmed,
    isStartupNoted: false,
    confirmationDueMs: never,
    resyncDueMs: never,
    probeDueMs: never,
    probeDueSinceMs: undefined,
    cooling: undefined,
    coolingSinceMs: Number.NEGATIVE_INFINITY,
  };
}

/** Whatever was to confirm it is called off: this may be applied later. */
function doubtApplied(account: Account): void {
  account.isUnconfirmed = true;
  account.confirmationDueMs = never;
}
