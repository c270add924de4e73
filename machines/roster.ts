import type { ActorRefFrom } from 'xstate';
import type { ServerId } from './ports.js';
import type { pubSubServerMachine } from './pubSubServerMachine.js';
import type { ServerStatus } from './pubSubServerSetup.js';

/**
 * How a server came to be known. `configured`: by the operator, never let go. `found`: it has proved
 * to be a pub-sub server, or a source of discovery named it. `candidate`: it only said so; it is not shown and not waited for.
 */
export type Standing = 'configured' | 'found' | 'candidate';

/**
 * `named`: a source of discovery names it. `formerly`: one did. `fromRooms`: only the rooms table ever
 * did, which keeps the addresses of servers that crashed.
 */
export type Naming = 'never' | 'fromRooms' | 'named' | 'formerly';

/** What the whole fleet is to do. */
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
  /** Whether it has heard the present wish. */
  isTold: boolean;
  /** Whether nobody has to wait for it any longer: it did as wished, or failed as often as is waited for. */
  isSettled: boolean;
}

type Added = Pick<Member, 'server' | 'ref' | 'standing'> & Partial<Pick<Member, 'isProven'>>;

const settledFor: Record<Wish, readonly ServerStatus[]> = {
  activity: ['live', 'deaf', 'stale', 'unreachable'],
  silence: ['silent'],
};

const hostOf = (server: ServerId) => server.slice(0, server.lastIndexOf(':'));

/** The known servers and candidates and how far each is with the present wish; held by reference. */
export class Roster {
  #members = new Map<ServerId, Member>();
  #changed = new Set<ServerId>();
  #untold = new Set<ServerId>();
  #unsettled = 0;
  #live = 0;
  #candidates = 0;
  #wish: Wish = 'silence';

  /** Adds a server that has not been told the present wish yet. */
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
    // A candidate was never made active by us: nothing is said to it before that.
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

  /** From now on this is wished, and nobody has heard of it. */
  wish(wish: Wish): void {
    this.#wish = wish;
    this.#untold = new Set();
    for (const member of this.#members.values()) {
      this.#update(member, { isTold: false, isSettled: false });
      if (wish === 'activity' || member.standing !== 'candidate' || member.status !== 'unknown')
        this.#untold.add(member.server);
    }
  }

  /** Takes up to `limit` servers that have not heard the wish, and notes that they have now. */
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

  /** What a server's actor said of itself. */
  report(server: ServerId, status: ServerStatus, failures: number): void {
    const member = this.#members.get(server);
    if (!member) return;
    if (member.status !== status) this.#note(member);
    // An actor begins as `unknown`, too: only after a failure does it say that the server was given up.
    const isEnough = failures > 0 && (this.#wish === 'activity' || status === 'unknown');
    const isDone = isEnough || settledFor[this.#wish].includes(status);
    // Once it was waited for long enough it is not waited for again, unless it must be silenced anew.
    const isStill = member.isSettled && status !== 'silencing';
    this.#update(member, { status, isSettled: member.isTold && (isDone || isStill) });
  }

  /** A candidate proved to be a pub-sub server, or a source named it; who is configured stays that. */
  promote(server: ServerId, standing: Exclude<Standing, 'candidate'>): void {
    const member = this.#members.get(server);
    if (!member || member.standing === standing || member.standing === 'configured') return;
    // It is waited for from now on: so it has to be told.
    if (!member.isTold) this.#untold.add(server);
    this.#update(member, { standing });
    this.#note(member);
  }

  /** It is a pub-sub server: it answered, or did so in an earlier run. */
  prove(server: ServerId): void {
    const member = this.#members.get(server);
    if (member) member.isProven = true;
  }

  /** Notes which servers the sources of discovery name now, and which of them only the rooms table names. */
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
   * Servers that do not answer, and that no source names any longer. One that only the rooms table
   * ever named and that never answered is among them: its address is left over from a crash.
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

  /** All servers, candidates too. */
  [Symbol.iterator](): IterableIterator<Member> {
    return this.#members.values();
  }

  /** The servers to show: candidates are not among them. */
  *shown(): Generator<Member> {
    for (const member of this.#members.values()) if (member.standing !== 'candidate') yield member;
  }

  /** The servers of its host, itself among them: who asks a start-up query is known by that alone. */
  ofSameHost(server: ServerId): Member[] {
    const host = hostOf(server);
    return [...this.#members.values()].filter((member) => hostOf(member.server) === host);
  }

  /** The candidate that has been waiting longest. */
  oldestCandidate(): Member | undefined {
    for (const member of this.#members.values()) if (member.standing === 'candidate') return member;
    return undefined;
  }

  /** The servers whose status changed, that came or went since the last call. */
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

  /** Servers to show that are live, and were not silenced meanwhile. */
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
