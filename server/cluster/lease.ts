import type {
  ElectionEvent,
  FailureCause,
  InstanceId,
  Leader,
  Term,
} from '../../machines/ports.js';
import type { Clock, Timer } from '../timing/clock.js';
import { type Instant, instantOf } from '../timing/instant.js';
import { Candidacy, isOutdated } from './candidacy.js';
import type {
  AcquireResult,
  Answered,
  Beat,
  BeatResult,
  ClusterStore,
  InstanceInfo,
} from './clusterStore.js';
import { ElectionNews } from './electionNews.js';
import { HeldLease } from './heldLease.js';
import { InboxTaking } from './inboxTaking.js';
import { LeaseBeats } from './leaseBeats.js';
import { LeaseObserver } from './leaseObserver.js';
import { type InstanceStatus, Presence } from './presence.js';

export interface LeaseNeeds {
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly self: InstanceId;
  /** Called for each beat. `id` is `self`. */
  readonly info: () => InstanceInfo;
  /** How long others wait for a renewal before they take the lease. The same at all instances. */
  readonly leaseMs: number;
  /** At most a third of `leaseMs`. */
  readonly beatMs: number;
}

/** A single failure is nothing: after a blocked loop, the answer was there and was not read in time. */
const failuresUntilLost = 2;

/**
 * The lease of a cluster, as one instance sees it. Sends the beats, judges when another's lease has expired,
 * takes it on request, and gives up its own in time. Its owner starts and closes it. Listeners are called
 * synchronously: when the lease is lost, before anything else happens.
 */
export class Lease {
  readonly #needs: LeaseNeeds;
  readonly #endsAfterMs: number;
  readonly #observer: LeaseObserver;
  readonly #presence: Presence;
  readonly #candidacy: Candidacy;
  readonly #news = new ElectionNews();
  readonly #beats: LeaseBeats;
  #held: HeldLease | undefined;
  #isActive = false;
  #isCampaigning = false;
  #isAcquiring = false;
  /** Why Redis counts as lost. */
  #redisLoss: FailureCause | undefined;
  #requests = 0;
  #inbox: InboxTaking | undefined;
  #endTimer: Timer;
  readonly #beatListeners = new Set<(result: BeatResult) => void>();

  constructor(needs: LeaseNeeds) {
    this.#needs = needs;
    this.#endsAfterMs = Math.floor((needs.leaseMs * 2) / 3);
    this.#observer = new LeaseObserver(needs.self, needs.leaseMs);
    this.#presence = new Presence(needs.leaseMs);
    this.#candidacy = new Candidacy(needs.leaseMs);
    this.#beats = new LeaseBeats({
      ...needs,
      tell: () => this.#nextBeat(),
      onTime: () => this.#endIfExpired(),
      onAnswer: (result, { lease }, sentAt) => this.#renewed(result, lease?.term, sentAt),
      onNews: (result) => this.#learn(result),
      onFailure: (error) => this.#noteFailure(error),
    });
  }

  /** Sends the first beat. */
  start(): void {
    this.#beats.start();
  }

  /** Stops without releasing the lease. No listener is called afterwards. */
  close(): void {
    this.#beats.stop();
    this.#needs.clock.clearTimeout(this.#endTimer);
    this.#held = undefined;
    this.#isCampaigning = false;
    this.#news.close();
    this.#beatListeners.clear();
  }

  /** Stops the beats, and tells the others that this instance goes. Release the lease first. */
  leave(done: Answered<void>): void {
    this.#beats.stop();
    this.#needs.store.leave(this.#needs.self, done);
  }

  /** The events of the slot `election` go to the listener. It is told at once who leads, if that is known. */
  elect(listener: (event: ElectionEvent) => void): () => void {
    const end = this.#news.elect(listener);
    if (this.#beats.hasAnswer) this.#tell();
    return end;
  }

  /** Tries to lead, as soon as the lease is free and this instance should. See `ElectionRequest`. */
  campaign(): void {
    const { leader } = this.#news;
    if (this.#redisLoss !== undefined)
      this.#news.emit({ type: 'redis.lost', cause: this.#redisLoss });
    else if (leader) this.#news.emit({ type: 'leader.seen', leader });
    else this.#isCampaigning = true;
    this.#campaignIfFree();
  }

  /** Gives the lease back, and does not campaign for `backOffMs` while another instance would lead. */
  release(backOffMs = 0): void {
    const cause = 'the lease was released';
    this.#isCampaigning = false;
    this.#candidacy.backOff(this.#nowMs, backOffMs);
    if (this.#held) this.#lose(cause);
    else this.#news.emit({ type: 'lease.lost', cause });
  }

  /** Whether this instance leads, and the last term that it knows. The clocks are not read: see `isHeldNow`. */
  current(): { term: Term; isHeld: boolean } {
    const { highestTerm } = this.#observer;
    return { term: this.#held?.term ?? highestTerm, isHeld: this.#held !== undefined };
  }

  /** Whether this instance may act now: reads both clocks. */
  isHeldNow(): boolean {
    if (!this.#held) return false;
    const isHeld = this.#held.isHeld(this.#needs.clock);
    // Not in this call: its caller is about to act.
    if (!isHeld) this.#setEndTimer(0);
    return isHeld;
  }

  /** The instance that leads, this one too. While Redis does not answer: the last one known. */
  get leader(): Leader | undefined {
    if (!this.#held) return this.#news.leader;
    const { id: instance, url, serversUrl } = this.#needs.info();
    return { instance, url, serversUrl, term: this.#held.term, isActive: this.#isActive };
  }

  /** All instances that beat in the last minute, this one too. */
  get instances(): InstanceStatus[] {
    return this.#presence.list(this.#nowMs);
  }

  /** Whether Redis answers. */
  get isRedisLost(): boolean {
    return this.#redisLoss !== undefined;
  }

  /** Renews the lease now. False: this instance does not lead, or Redis did not say that it still does. */
  renew(done: (isRenewed: boolean) => void): void {
    const held = this.#held;
    if (!this.isHeldNow()) done(false);
    else
      this.#beats.share((result) =>
        done(result?.isRenewed === true && this.#held === held && this.isHeldNow()),
      );
  }

  /** Something has changed at the leader: looks at the lease now, and not only with the next beat. */
  beatNow(): void {
    this.#beats.hurry();
  }

  /** Whether pub-sub servers post. Redis is told at once: the next leader takes them over as they are. */
  setActive(isActive: boolean): void {
    const isChanged = this.#isActive !== isActive;
    this.#isActive = isActive;
    if (isChanged && this.#held) this.#beats.send();
  }

  /** Leaves entries for the leader. Any instance may do it. */
  pushInbox(entries: readonly string[], done: Answered<void> = () => {}): void {
    this.#needs.store.pushInbox(entries, done);
  }

  /** Takes what others put into the inbox. An error unless this instance leads. One call at a time. */
  takeInbox(done: Answered<string[]>): void {
    if (this.#held && this.#inbox) this.#inbox.take(this.#newRequestId(), done);
    else done(new Error('this instance does not lead'));
  }

  /** Called after each beat that Redis answered. The function that is returned ends that. */
  onBeat(listener: (result: BeatResult) => void): () => void {
    this.#beatListeners.add(listener);
    return () => void this.#beatListeners.delete(listener);
  }

  get #nowMs(): number {
    return this.#needs.clock.monotonicMs();
  }

  #nextBeat(): Omit<Beat, 'beats'> {
    const info = this.#needs.info();
    return {
      info,
      isCandidate: this.#candidacy.isCandidate(info, this.#nowMs),
      highestTerm: this.#observer.highestTerm,
      lease: this.#held && { term: this.#held.term, isActive: this.#isActive },
    };
  }

  /** The answer to a beat that renewed the lease of a term. */
  #renewed({ isRenewed, lease }: BeatResult, term: Term | undefined, sentAt: Instant): void {
    const held = this.#held;
    if (!held || held.term !== term) return;
    if (isRenewed) held.renew(sentAt);
    else if (held.isHeld(this.#needs.clock)) this.#lose(causeOf(lease, term), true);
    this.#endIfExpired();
    if (this.#held) this.#setEndTimer();
  }

  #learn(result: BeatResult): void {
    const nowMs = this.#nowMs;
    this.#observer.knows(result.highestTerm);
    this.#observer.observe(result.lease, nowMs);
    this.#presence.observe(result.instances, nowMs);
    if (this.#redisLoss !== undefined) {
      this.#redisLoss = undefined;
      this.#news.forget();
      this.#news.emit({ type: 'redis.answered' });
    }
    if (this.#held && isOutdated(this.#needs.info(), this.instances))
      this.#lose('an instance with a newer protocol is there');
    this.#tell();
    for (const listener of [...this.#beatListeners]) listener(result);
    this.#campaignIfFree();
    this.#lookWhenItExpires();
  }

  /** A lease that expires before the next beat is looked at then, and not up to a beat later. */
  #lookWhenItExpires(): void {
    const waitMs = this.#observer.expiresInMs(this.#nowMs);
    if (!this.#held && waitMs > 0 && waitMs < this.#needs.beatMs) this.#beats.sendIn(waitMs);
  }

  #noteFailure({ message }: Error): void {
    const { failures, ms } = this.#beats.silence;
    if (failures < failuresUntilLost || ms < this.#endsAfterMs || this.isRedisLost) return;
    this.#redisLoss = message;
    this.#isCampaigning = false;
    this.#news.emit({ type: 'redis.lost', cause: message });
  }

  #tell(): void {
    if (this.#held) return;
    const leader = this.#observer.leader(this.#nowMs);
    if (leader) this.#isCampaigning = false;
    this.#news.tell(leader);
  }

  #campaignIfFree(): void {
    if (!this.#isCampaigning || this.#held || this.#isAcquiring) return;
    const [nowMs, info] = [this.#nowMs, this.#needs.info()];
    const { record: seen, highestTerm } = this.#observer;
    if (!seen || !this.#observer.isFree(nowMs)) return;
    if (!this.#candidacy.mayCampaign(info, this.instances, nowMs)) return;
    this.#isAcquiring = true;
    const [sentAt, requestId] = [instantOf(this.#needs.clock), this.#newRequestId()];
    this.#needs.store.acquire({ info, seen, highestTerm, requestId }, (_, result) => {
      this.#isAcquiring = false;
      if (result) this.#acquired(result, sentAt);
    });
  }

  #acquired(result: AcquireResult, sentAt: Instant): void {
    if ('taken' in result) this.#taken(result, sentAt);
    else {
      this.#observer.observe(result.refusedBy, this.#nowMs);
      this.#tell();
    }
  }

  #taken({ taken, previous }: Extract<AcquireResult, { taken: unknown }>, sentAt: Instant): void {
    const wasActive = previous && !previous.isLost ? previous.isActive : this.#observer.wasActive;
    this.#observer.observe(taken, this.#nowMs);
    this.#isActive = wasActive;
    const held = new HeldLease(taken.term, sentAt, this.#endsAfterMs);
    // The machine has changed its mind, or the answer is late.
    if (!this.#isCampaigning || !held.isHeld(this.#needs.clock)) this.#giveBack(taken.term);
    else this.#hold(held, wasActive);
  }

  #hold(held: HeldLease, wasActive: boolean): void {
    this.#isCampaigning = false;
    this.#held = held;
    this.#news.forget();
    const { store, self: instance } = this.#needs;
    this.#inbox = new InboxTaking(store, { term: held.term, instance });
    this.#setEndTimer();
    this.#news.emit({ type: 'lease.taken', term: held.term, wasActive });
  }

  #endIfExpired(): void {
    if (!this.#held || this.#held.isHeld(this.#needs.clock)) return;
    const isBlocked = this.#beats.overdueMs > this.#needs.beatMs;
    if (isBlocked) this.#candidacy.backOffAfterBlockedLoop(this.#nowMs);
    if (isBlocked) this.#lose('the event loop of this instance stood still');
    else if (this.#held.doClocksDiffer(this.#needs.clock))
      this.#lose('a clock of this machine was set, or stood still');
    else this.#lose(`no renewal succeeded for ${this.#endsAfterMs} ms`);
  }

  #lose(cause: FailureCause, wasForgotten = false): void {
    const { term } = this.#held ?? {};
    this.#needs.clock.clearTimeout(this.#endTimer);
    this.#held = undefined;
    this.#news.forget();
    this.#news.emit({ type: 'lease.lost', cause });
    if (term !== undefined) this.#giveBack(term, wasForgotten);
  }

  /** So nobody needs to wait until the lease expires. Without effect if another instance has it. */
  #giveBack(term: Term, wasForgotten = false): void {
    const { store, self: instance } = this.#needs;
    store.release({ term, instance, isActive: this.#isActive, wasForgotten }, () => {});
  }

  #setEndTimer(ms = (this.#held?.endsAtMs ?? 0) - this.#nowMs): void {
    const { clock } = this.#needs;
    clock.clearTimeout(this.#endTimer);
    this.#endTimer = clock.setTimeout(() => this.#endIfExpired(), Math.max(0, ms));
  }

  #newRequestId(): string {
    this.#requests += 1;
    return `${this.#needs.self}.${this.#requests}`;
  }
}

function causeOf(lease: BeatResult['lease'], term: Term): FailureCause {
  if (lease.isLost) return 'Redis lost the lease';
  if (lease.term > term) return `another instance took the lease, with term ${lease.term}`;
  return lease.term < term ? 'Redis lost the lease' : 'Redis knows of a higher term';
}
