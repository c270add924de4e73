import type { Connections, Epoch, RoomName, ServerId } from './ports.js';

/** A connection to a room opened (+1) or closed (-1); several of them at once are added up. */
export interface Delta {
  readonly room: RoomName;
  readonly add: number;
}

/** The deltas, one or more, that a pub-sub server posted at once under the token of an epoch. */
export interface Post {
  readonly server: ServerId;
  readonly epoch: Epoch;
  /** Whether the epoch came with the answer to a start-up query, rather than with an activation: it counts nothing. */
  readonly fromStartup: boolean;
  readonly deltas: readonly Delta[];
}

/**
 * What a post says beside its numbers.
 * `superseded`: whoever sent it, this server or another of its host, is on the URL of a start-up answer
 * that a newer snapshot overtook.
 * `doubtful`: it is older than the snapshot, it is not counted, or a room fell below zero; look again after a
 * moment.
 */
export type Finding = 'ordinary' | 'doubtful' | 'superseded';

/** How much is remembered of one server. What it reports beyond that is not counted. */
export interface TallyLimits {
  readonly maxRooms: number;
  /** Of the names of its rooms together, in UTF-16 code units. */
  readonly maxNamesLength: number;
}

const unlimited: TallyLimits = { maxRooms: Infinity, maxNamesLength: Infinity };

/** Rooms with their sums, and how long their names are together. */
interface Sums {
  rooms: Connections;
  namesLength: number;
}

/** What is known of one server's connections. Sums are signed; only what is shown is clamped. */
interface ServerCounts {
  /** Epoch of the newest merged snapshot; none: the server contributes nothing yet. */
  base?: Epoch | undefined;
  /** Snapshot plus all deltas of its epoch and later ones. No zeros. */
  counts: Sums;
  /** Connections shown: the sum of `counts`, each clamped at zero. */
  connections: number;
  /** Rooms whose sum is below zero, and how many looks each has outlasted. None: there is no such room. */
  dips?: Map<RoomName, number> | undefined;
  /** The newest attempt: the only one whose snapshot is still accepted. */
  attempt: Epoch;
  /** Sums of the deltas that the attempt's snapshot cannot contain. */
  pending: Sums;
  /** Whether a delta found no place in `pending`. */
  isPendingLost: boolean;
  /** Whether anything was posted since the last merge, or since the first attempt. */
  hasPosted: boolean;
  /** Epoch of the newest delta since the last merge. */
  newestDelta?: Epoch | undefined;
}

/** A -1 overtakes its +1 by milliseconds. A room that is below zero at so many looks misses a connection. */
const looksOutlasted = 3;

const noSums = (): Sums => ({ rooms: new Map(), namesLength: 0 });

const shown = (count: number | undefined) => (count !== undefined && count > 0 ? count : 0);

function addTo(counts: Connections, room: RoomName, add: number): number {
  const sum = (counts.get(room) ?? 0) + add;
  if (sum === 0) counts.delete(room);
  else counts.set(room, sum);
  return sum;
}

/** The counts with the names that are held already: snapshots bring the same ones again and again. */
function withNamesOf(held: Connections, counts: Connections): Connections {
  if (held.size === 0) return counts;
  for (const room of held.keys()) if (!counts.has(room)) held.delete(room);
  for (const [room, count] of counts) held.set(room, count);
  return held;
}

/** A room fell below zero, or came back. */
function noteDip(known: ServerCounts, room: RoomName, isBelowZero = true): void {
  if (isBelowZero) {
    known.dips ??= new Map();
    known.dips.set(room, 0);
  } else {
    known.dips?.delete(room);
    if (known.dips?.size === 0) known.dips = undefined;
  }
}

/** The new sum of a room; undefined: it is a new one, for which there is no place. */
function addWithin(limits: TallyLimits, sums: Sums, room: RoomName, add: number) {
  const { rooms } = sums;
  const before = rooms.get(room);
  const isNew = before === undefined;
  if (isNew && !hasPlace(limits, rooms.size, sums.namesLength + room.length)) return;
  const sum = (before ?? 0) + add;
  if (sum !== 0) rooms.set(room, sum);
  else rooms.delete(room);
  if (isNew) sums.namesLength += room.length;
  if (sum === 0) sums.namesLength -= room.length;
  return sum;
}

const hasPlace = ({ maxRooms, maxNamesLength }: TallyLimits, rooms: number, namesLength: number) =>
  rooms < maxRooms && namesLength <= maxNamesLength;

/**
 * The connection counts by server, epoch and room: a mutable structure that the machines hold by
 * reference. The count of a room on a server is `snapshot[E] + deltas of epochs >= E`, whatever the
 * order in which snapshots and deltas come; see docs/internals/architecture.md.
 */
export class Tally {
  #servers = new Map<ServerId, ServerCounts>();
  #totals: Connections = new Map();
  #changed = new Set<RoomName>();
  #posters: ServerId[] = [];
  #connections = 0;
  #lastEpoch = 0;
  readonly #overLimit = new Set<ServerId>();
  /** By server, the newest start-up answer under which somebody posted what no snapshot has replaced yet. */
  readonly #unsettled = new Map<ServerId, Epoch>();
  readonly #limits: TallyLimits;

  constructor(limits = unlimited) {
    this.#limits = limits;
  }

  /** A number that no attempt and no answer of this run had before. */
  nextEpoch(): Epoch {
    this.#lastEpoch += 1;
    return this.#lastEpoch as Epoch;
  }

  /** Begins an attempt to get a snapshot from a server; ends the wait for any earlier one. */
  openAttempt(server: ServerId): Epoch {
    const attempt = this.nextEpoch();
    const known = this.#servers.get(server);
    if (known) {
      known.attempt = attempt;
      known.pending = noSums();
      known.isPendingLost = false;
    } else {
      this.#servers.set(server, {
        counts: noSums(),
        connections: 0,
        attempt,
        pending: noSums(),
        isPendingLost: false,
        hasPosted: false,
      });
    }
    return attempt;
  }

  /** Whether the snapshot of this attempt can still be merged without losing a delta. */
  accepts(server: ServerId, epoch: Epoch): boolean {
    return this.#servers.get(server)?.attempt === epoch;
  }

  /**
   * Replaces a server's counts by an accepted snapshot and the deltas that came beside it. Answers whether
   * the snapshot differs from the one before although nothing at all was posted in between.
   */
  merge(server: ServerId, epoch: Epoch, snapshot: Connections): boolean {
    const known = this.#servers.get(server);
    if (!known || !this.accepts(server, epoch)) return false;
    const isComparable =
      known.base !== undefined && !known.hasPosted && !this.#overLimit.has(server);
    let isDifferent = false;
    for (const [room, sum] of known.pending.rooms) addTo(snapshot, room, sum);
    const before = known.counts.rooms;
    let isCut = known.isPendingLost;
    let rooms = 0;
    let namesLength = 0;
    known.base = epoch;
    known.pending = noSums();
    known.isPendingLost = false;
    known.hasPosted = false;
    known.newestDelta = undefined;
    known.connections = 0;
    known.dips = undefined;
    for (const [room, count] of snapshot) {
      const isPlaced = hasPlace(this.#limits, rooms, namesLength + room.length);
      if (count === 0 || !isPlaced) {
        snapshot.delete(room);
        if (count !== 0) isCut = true;
        continue;
      }
      rooms += 1;
      namesLength += room.length;
      if (count < 0) noteDip(known, room);
      known.connections += shown(count);
      const held = before.get(room);
      if (count !== held) isDifferent = true;
      this.#show(room, shown(count) - shown(held));
    }
    if (isCut) this.#overLimit.add(server);
    else this.#overLimit.delete(server);
    if (epoch > (this.#unsettled.get(server) ?? epoch)) this.#unsettled.delete(server);
    for (const [room, count] of before) {
      if (snapshot.has(room)) continue;
      isDifferent = true;
      this.#show(room, -shown(count));
    }
    known.counts = { rooms: withNamesOf(before, snapshot), namesLength };
    return isComparable && isDifferent && !isCut;
  }

  /** Counts the deltas of a post, as far as its epoch lets it, and none that came under a start-up answer. */
  record({ server, epoch, fromStartup, deltas }: Post): Finding {
    const known = this.#servers.get(server);
    if (!known) return 'ordinary';
    if (!known.hasPosted) {
      known.hasPosted = true;
      this.#posters.push(server);
    }
    if (deltas.length === 0) return 'ordinary';
    if (fromStartup) return this.#passOver(server, known, epoch);
    const isAwaiting = known.base === undefined || known.attempt > known.base;
    if (isAwaiting && epoch >= known.attempt) {
      for (const { room, add } of deltas) {
        const sum = addWithin(this.#limits, known.pending, room, add);
        if (sum === undefined) known.isPendingLost = true;
      }
    }
    if (known.base === undefined) return 'ordinary';
    known.newestDelta = epoch;
    if (epoch < known.base) return 'doubtful';
    let isBelowZero = false;
    for (const delta of deltas) if (this.#count(server, known, delta) < 0) isBelowZero = true;
    return isBelowZero ? 'doubtful' : 'ordinary';
  }

  /** Counts posts; answers the gravest finding for each server that has one. */
  recordAll(posts: readonly Post[]): Map<ServerId, Finding> {
    const findings = new Map<ServerId, Finding>();
    for (const post of posts) {
      const finding = this.record(post);
      if (finding === 'ordinary') continue;
      if (finding === 'superseded' || !findings.has(post.server))
        findings.set(post.server, finding);
    }
    return findings;
  }

  /** Whether a server's newest delta is on an old URL, or uncounted: its numbers cannot be right. */
  isDoubtful(server: ServerId): boolean {
    const known = this.#servers.get(server);
    if (known?.base === undefined) return false;
    if (this.#unsettled.has(server)) return true;
    return known.newestDelta !== undefined && known.newestDelta < known.base;
  }

  /** Whether a room of the server is below zero, perhaps only until a late +1 arrives. */
  hasDip(server: ServerId): boolean {
    return this.#servers.get(server)?.dips !== undefined;
  }

  /**
   * One of the looks at the rooms below zero, which come at equal intervals. `lasting`: one of them
   * outlasted its looks just now. `isDue`: one is too new to judge, so another look is needed.
   */
  lookAtDips(server: ServerId): { lasting: boolean; isDue: boolean } {
    const known = this.#servers.get(server);
    const seen = { lasting: false, isDue: false };
    for (const [room, looks] of known?.dips ?? []) {
      if (looks >= looksOutlasted) continue;
      known?.dips?.set(room, looks + 1);
      if (looks + 1 < looksOutlasted) seen.isDue = true;
      else seen.lasting = true;
    }
    return seen;
  }

  /** Takes a server's counts out of the totals; its next snapshot brings them back. */
  drop(server: ServerId): void {
    const known = this.#servers.get(server);
    if (!known) return;
    this.#servers.delete(server);
    this.#overLimit.delete(server);
    this.#unsettled.delete(server);
    for (const [room, count] of known.counts.rooms) this.#show(room, -shown(count));
  }

  /**
   * Forgets all counts at once, and every attempt under way: its snapshot would miss deltas. Whoever
   * shows them starts over: no change is noted for a room.
   */
  clear(): void {
    this.#servers = new Map();
    this.#overLimit.clear();
    this.#unsettled.clear();
    this.#totals = new Map();
    this.#changed = new Set();
    this.#posters = [];
    this.#connections = 0;
  }

  /** The servers that posted for the first time since their last snapshot, since the last call. */
  takePosters(): ServerId[] {
    const posters = this.#posters;
    if (posters.length > 0) this.#posters = [];
    return posters;
  }

  /** Whether it is known already that posts of a server arrive, or nobody needs to know. */
  hasPosted(server: ServerId): boolean {
    return this.#servers.get(server)?.hasPosted ?? true;
  }

  /** The epoch of a server's newest merged snapshot. */
  baseOf(server: ServerId): Epoch | undefined {
    return this.#servers.get(server)?.base;
  }

  /** Rooms with a connection on a server, and how many connections those are. */
  sizeOf(server: ServerId): { rooms: number; connections: number } {
    const known = this.#servers.get(server);
    if (!known) return { rooms: 0, connections: 0 };
    return {
      rooms: known.counts.rooms.size - (known.dips?.size ?? 0),
      connections: known.connections,
    };
  }

  /** Connections of a room on one server. */
  countOn(server: ServerId, room: RoomName): number {
    return shown(this.#servers.get(server)?.counts.rooms.get(room));
  }

  /** Servers that reported more than is remembered of one: what is counted of them is a part. */
  get overLimit(): ReadonlySet<ServerId> {
    return this.#overLimit;
  }

  /**
   * Servers in whose name somebody posted under a start-up answer since their last snapshot: they may
   * have begun anew, and what is counted of them may be of the process before.
   */
  get unsettled(): { readonly size: number; has(server: ServerId): boolean } {
    return this.#unsettled;
  }

  /** Connections of every room that has any, over all servers. */
  get totals(): ReadonlyMap<RoomName, number> {
    return this.#totals;
  }

  /** All connections of all rooms. */
  get connections(): number {
    return this.#connections;
  }

  /** The rooms whose totals changed since the last call; the set is the caller's. */
  takeChanged(): Set<RoomName> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** What the inspector shows in place of the maps. */
  toJSON() {
    const epoch = this.#lastEpoch;
    return { rooms: this.#totals.size, connections: this.#connections, epoch };
  }

  /**
   * Counts nothing: whoever shares the address of a server can ask for such a token in its name. A server
   * that has one is sent an activation, and the snapshot of that has all that was posted here.
   */
  #passOver(server: ServerId, known: ServerCounts, epoch: Epoch): Finding {
    if (known.base !== undefined && epoch < known.base) {
      known.newestDelta = epoch;
      return 'superseded';
    }
    if (epoch > (this.#unsettled.get(server) ?? 0)) this.#unsettled.set(server, epoch);
    return known.base === undefined ? 'ordinary' : 'doubtful';
  }

  /** The room's new sum on its server; zero when it could not be counted. */
  #count(server: ServerId, known: ServerCounts, { room, add }: Delta): number {
    const after = this.#addTo(server, known.counts, room, add);
    if (after === undefined) return 0;
    const before = after - add;
    const change = shown(after) - shown(before);
    if (after < 0 !== before < 0) noteDip(known, room, after < 0);
    known.connections += change;
    this.#show(room, change);
    return after;
  }

  /** The new sum; undefined: it is not counted, for want of place or of what the room had before. */
  #addTo(server: ServerId, counts: Sums, room: RoomName, add: number): number | undefined {
    // Once rooms were left out, one that seems new may be one of them.
    const isLeftOut = this.#overLimit.has(server) && !counts.rooms.has(room);
    const sum = isLeftOut ? undefined : addWithin(this.#limits, counts, room, add);
    if (sum === undefined) this.#overLimit.add(server);
    return sum;
  }

  #show(room: RoomName, change: number): void {
    if (change === 0) return;
    this.#connections += change;
    addTo(this.#totals, room, change);
    this.#changed.add(room);
  }
}
