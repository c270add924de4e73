import type { ActorRefFrom } from 'xstate';
import type { ServerId } from './ports.js';
import type { pubSubServerMachine } from './pubSubServerMachine.js';
import type { ServerStatus } from './pubSubServerSetup.js';

/**
 * How a server became known.
 * `configured`: by the operator. It is never removed.
 * `found`: it answered like a pub-sub server, or a source of discovery named it.
 * `candidate`: it only claims to be one. It is neither shown nor waited for.
 */
export type Standing = 'configured' | 'found' | 'candidate';

/**
 * `named`: a source of discovery names it. `formerly`: one did.
 * `fromRooms`: only the rooms table did. That table keeps the addresses of crashed servers.
 */
export type Naming = 'never' | 'fromRooms' | 'named' | 'formerly';

/** What the whole fleet has to do. */
export type Wish = 'activity' | 'silence';

/** One pub-sub server that this service knows of. */
export interface Member {
  readonly server: ServerId;
  readonly ref: ActorRefFrom<typeof pubSubServerMachine>;
  standing: Standing;
  status: ServerStatus;
  /** What the sources of discovery say of it. */
  naming: Naming;
  /** Whether it ever answered, in this run or an earlier one. */
  isProven: boolean;
  /** Whether its actor was told the current wish. */
  isTold: boolean;
  /** Whether the fleet no longer waits for it: it did as wished, or failed too often. */
  isSettled: boolean;
}

type Added = Pick<Member, 'server' | 'ref' | 'standing'> & Partial<Pick<Member, 'isProven'>>;

const settledFor: Record<Wish, readonly ServerStatus[]> = {
  activity: ['live', 'deaf', 'stale', 'unreachable'],
  silence: ['silent'],
};

const hostOf = (server: ServerId) => server.slice(0, server.lastIndexOf(':'));

/** The known servers, and whether each does what the fleet has to do. */
export class Roster {
  #members = new Map<ServerId, Member>();
  #changed = new Set<ServerId>();
  #untold = new Set<ServerId>();
  #unsettled = 0;
  #live = 0;
  #candidates = 0;
  #wish: Wish = 'silence';

  /** Adds a server. It has to be told the current wish. */
  add({ isProven = false, ...member }: Added): Member {
    this.remove(member.server);
    const added: Member = {
      ...member,
      status: 'unknown',
      naming: 'never',
      isProven,
      isTold: false,
      isSettled: false,
    };
    this.#members.set(member.server, added);
    // This service never activated a candidate, so there is no need to silence it.
    if (this.#wish === 'activity' || added.standing !== 'candidate') this.#untold.add(added.server);
    this.#count(added, 1);
    this.#note(added);
    return added;
  }

  remove(server: ServerId): void {
    const member = this.#members.get(server);
    if (!member) return;
    this.#members.delete(server);
    this.#untold.delete(server);
    this.#count(member, -1);
    this.#note(member);
  }

  /** Changes the wish. Every server has to be told. */
  wish(wish: Wish): void {
    this.#wish = wish;
    this.#untold = new Set();
    for (const member of this.#members.values()) {
      this.#update(member, { isTold: false, isSettled: false });
      if (wish === 'activity' || member.standing !== 'candidate' || member.status !== 'unknown')
        this.#untold.add(member.server);
    }
  }

  /** Takes up to `limit` servers that have to be told, and marks them as told. */
  takeUntold(limit: number): Member[] {
    const taken: Member[] = [];
    for (const server of this.#untold) {
      if (taken.length === limit) break;
      this.#untold.delete(server);
      const member = this.#members.get(server);
      if (!member) continue;
      this.#update(member, { isTold: true });
      taken.push(member);
    }
    return taken;
  }

  /** Takes a report of a server's actor. */
  report(server: ServerId, status: ServerStatus, failures: number): void {
    const member = this.#members.get(server);
    if (!member) return;
    if (member.status !== status) this.#note(member);
    // An actor starts as `unknown`. Only after failures does this mean that it gave up.
    const isEnough = failures > 0 && (this.#wish === 'activity' || status === 'unknown');
    const isDone = isEnough || settledFor[this.#wish].includes(status);
    // A settled server stays settled, unless it has to be silenced again.
    const isStill = member.isSettled && status !== 'silencing';
    this.#update(member, { status, isSettled: member.isTold && (isDone || isStill) });
  }

  /** Changes how a server is known. A configured server stays configured. */
  promote(server: ServerId, standing: Exclude<Standing, 'candidate'>): void {
    const member = this.#members.get(server);
    if (!member || member.standing === standing || member.standing === 'configured') return;
    // The fleet waits for it from now on, so it has to be told.
    if (!member.isTold) this.#untold.add(server);
    this.#update(member, { standing });
    this.#note(member);
  }

  /** Notes that it answered, in this run or an earlier one. */
  prove(server: ServerId): void {
    const member = this.#members.get(server);
    if (member) member.isProven = true;
  }

  /** Notes which servers the sources of discovery name now. `fromRooms`: named by the rooms table alone. */
  name(servers: readonly ServerId[], fromRooms: readonly ServerId[] = []): void {
    const named = new Set(servers);
    const weak = new Set(fromRooms);
    for (const member of this.#members.values()) {
      if (weak.has(member.server)) {
        if (member.naming === 'never') member.naming = 'fromRooms';
        else if (member.naming === 'named') member.naming = 'formerly';
      } else if (named.has(member.server)) member.naming = 'named';
      else if (member.naming !== 'never') member.naming = 'formerly';
    }
  }

  /**
   * Servers that do not answer and that no source names any longer. These include servers that only
   * the rooms table named and that never answered: their addresses are left over from a crash.
   */
  vanished(): Member[] {
    const isGone = ({ naming, isProven }: Member) =>
      naming === 'formerly' || (naming === 'fromRooms' && !isProven);
    return [...this.#members.values()].filter(
      (member) => member.standing === 'found' && member.status === 'unreachable' && isGone(member),
    );
  }

  get(server: ServerId): Member | undefined {
    return this.#members.get(server);
  }

  /** All servers, including candidates. */
  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values();
  }

  /** The servers to show: all but candidates. */
  *shown(): Generator<Member> {
    for (const member of this.#members.values()) if (member.standing !== 'candidate') yield member;
  }

  /** All servers of its host. The sender of a start-up query is known by its host only. */
  ofSameHost(server: ServerId): Member[] {
    const host = hostOf(server);
    return [...this.#members.values()].filter((member) => hostOf(member.server) === host);
  }

  /** The candidate that was added first. */
  oldestCandidate(): Member | undefined {
    for (const member of this.#members.values()) if (member.standing === 'candidate') return member;
    return undefined;
  }

  /** Servers that were added, removed or changed their status since the last call. */
  takeChanged(): Set<ServerId> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  get wished(): Wish {
    return this.#wish;
  }

  get candidates(): number {
    return this.#candidates;
  }

  get hasUntold(): boolean {
    return this.#untold.size > 0;
  }

  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  /** Servers to show. */
  get size(): number {
    return this.#members.size - this.#candidates;
  }

  /** Servers to show that are live and were told the current wish. */
  get live(): number {
    return this.#live;
  }

  /** What the inspector shows in place of the members. */
  toJSON() {
    const { size, candidates, live } = this;
    return { servers: size, candidates, live, unsettled: this.#unsettled };
  }

  #note({ server, standing }: Member): void {
    if (standing !== 'candidate') this.#changed.add(server);
  }

  #update(member: Member, change: Partial<Member>): void {
    this.#count(member, -1);
    Object.assign(member, change);
    this.#count(member, 1);
  }

  #count(member: Member, by: 1 | -1): void {
    if (member.standing === 'candidate') {
      this.#candidates += by;
      return;
    }
    if (!member.isSettled) this.#unsettled += by;
    if (member.isTold && member.status === 'live') this.#live += by;
  }
}
