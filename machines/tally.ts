import { Correction } from './correction.js';
import type { Connections, Epoch, RoomName, ServerId } from './ports.js';

/** Connections to a room that opened (+1 each) or closed (-1 each). */
export interface Delta {
  readonly room: RoomName;
  readonly add: number;
}

/** Deltas that a pub-sub server posted together, with the token of an epoch. */
export interface Post {
  readonly server: ServerId;
  readonly epoch: Epoch;
  /** Whether the token came from the answer to a start-up query, not from an activation. Then nothing is counted. */
  readonly fromStartup: boolean;
  readonly deltas: readonly Delta[];
}

/**
 * What a post reveals beside its numbers.
 * `superseded`: its sender uses the URL of a start-up answer that is older than the snapshot. The sender
 * is this server or another one of its host.
 * `doubtful`: it is older than the snapshot, it was not counted, or a room fell below zero. A later
 * message may explain it.
 */
export type Finding = 'ordinary' | 'doubtful' | 'superseded';

/** How much is stored per server. What a server reports beyond that is not counted. */
export interface TallyLimits {
  readonly maxRooms: number;
  /** Length of all its room names together, in UTF-16 code units. */
  readonly maxNamesLength: number;
}

const unlimited: TallyLimits = { maxRooms: Infinity, maxNamesLength: Infinity };

/** The sum of each room, and the length of all room names together. */
interface Sums {
  rooms: Connections;
  namesLength: number;
}

/** The counts of one server. Sums may be negative; shown counts are clamped at zero. */
interface ServerCounts {
  /** Epoch of the newest merged snapshot. Without one the server is not counted yet. */
  base?: Epoch | undefined;
  /** Snapshot plus all deltas of its epoch and later ones. Rooms with a sum of zero are left out. */
  counts: Sums;
  /** Connections shown: the sum of `counts`, each clamped at zero. */
  connections: number;
  /** Rooms below zero, and how many looks found each of them so. Undefined if there are none. */
  dips?: Map<RoomName, number> | undefined;
  /** The newest request for a snapshot. Only its snapshot is accepted. */
  attempt: Epoch;
  /** Sums of the deltas that the attempt's snapshot cannot contain. */
  pending: Sums;
  /** Whether `pending` was full when a delta came. */
  isPendingLost: boolean;
  /** Whether anything was posted since the last merge, or since the first attempt. */
  hasPosted: boolean;
  /** Epoch of the newest delta since the last merge. */
  newestDelta?: Epoch | undefined;
  /** What the newest snapshot had to correct. Undefined: it is not comparable with what was counted before. */
  correction?: Correction | undefined;
  /** Connections that its snapshots corrected. */
  corrected: number;
}

/** A -1 overtakes its +1 by milliseconds only. A room below zero at this many looks misses a connection. */
const looksOutlasted = 3;

const noSums = (): Sums => ({ rooms: new Map(), namesLength: 0 });

const shown = (count: number | undefined) => (count !== undefined && count > 0 ? count : 0);

function addTo(counts: Connections, room: RoomName, add: number): number {
  const sum = (counts.get(room) ?? 0) + add;
  if (sum === 0) counts.delete(room);
  else counts.set(room, sum);
  return sum;
}

/** Copies the counts into `held`. This saves memory: its name strings are kept, and not those of the snapshot. */
function withNamesOf(held: Connections, counts: Connections): Connections {
  if (held.size === 0) return counts;
  for (const room of held.keys()) if (!counts.has(room)) held.delete(room);
  for (const [room, count] of counts) held.set(room, count);
  return held;
}

/** Notes that a room fell below zero, or came back. */
function noteDip(known: ServerCounts, room: RoomName, isBelowZero = true): void {
  if (isBelowZero) {
    known.dips ??= new Map();
    known.dips.set(room, 0);
  } else {
    known.dips?.delete(room);
    if (known.dips?.size === 0) known.dips = undefined;
  }
}

/** Returns the new sum of a room, or undefined if a new room does not fit. */
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
 * The connection counts of all servers, mutable and shared by the machines. The count of a room on a
 * server is `snapshot[E] + deltas of epochs >= E`, in whatever order snapshots and deltas arrive. See
 * docs/internals/architecture.md.
 */
export class Tally {
  #servers = new Map<ServerId, ServerCounts>();
  #totals: Connections = new Map();
  #changed = new Set<RoomName>();
  #posters: ServerId[] = [];
  #connections = 0;
  #lastEpoch = 0;
  #corrected = 0;
  readonly #overLimit = new Set<ServerId>();
  /** Servers with posts to the URL of a start-up answer, and the epoch of that answer. A newer snapshot corrects them. */
  readonly #snapshotDue = new Map<ServerId, Epoch>();
  readonly #limits: TallyLimits;

  constructor(limits = unlimited) {
    this.#limits = limits;
  }

  /** A number that this run has not used before. */
  nextEpoch(): Epoch {
    this.#lastEpoch += 1;
    return this.#lastEpoch as Epoch;
  }

  /** Starts a request for a snapshot. The snapshots of earlier requests are no longer accepted. */
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
        corrected: 0,
      });
    }
    return attempt;
  }

  /** Whether the snapshot of this request can still be merged without losing a delta. */
  accepts(server: ServerId, epoch: Epoch): boolean {
    return this.#servers.get(server)?.attempt === epoch;
  }

  /**
   * Replaces a server's counts by an accepted snapshot and the deltas that arrived during the request.
   * Returns true if the snapshot differs from the one before although nothing was posted in between.
   */
  merge(server: ServerId, epoch: Epoch, snapshot: Connections): boolean {
    const known = this.#servers.get(server);
    if (!known || !this.accepts(server, epoch)) return false;
    const isRecount = known.base !== undefined && !this.#overLimit.has(server);
    const isComparable = isRecount && !known.hasPosted;
    const wasDue = this.#snapshotDue.has(server);
    const correction = isRecount ? new Correction() : undefined;
    for (const [room, sum] of known.pending.rooms) addTo(snapshot, room, sum);
    const before = known.counts.rooms;
    let isCut = known.isPendingLost;
    let rooms = 0;
    let namesLength = 0;
    this.#settle(known);
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
      if (count !== held) correction?.note(room, count - (held ?? 0));
      this.#show(room, shown(count) - shown(held));
    }
    if (isCut) this.#overLimit.add(server);
    else this.#overLimit.delete(server);
    if (epoch > (this.#snapshotDue.get(server) ?? epoch)) this.#snapshotDue.delete(server);
    for (const [room, count] of before) {
      if (snapshot.has(room)) continue;
      correction?.note(room, -count);
      this.#show(room, -shown(count));
    }
    known.counts = { rooms: withNamesOf(before, snapshot), namesLength };
    const isDifferent = correction !== undefined && !correction.isEmpty;
    // Counts of a server over its limit, or that may have restarted, are not shown as complete.
    if (isDifferent && !isCut && !wasDue) known.correction = correction;
    return isComparable && isDifferent && !isCut;
  }

  /** Counts the deltas of a post if its epoch allows it. Posts to the URL of a start-up answer are never counted. */
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
    if (epoch < known.base) {
      for (const { room, add } of deltas) known.correction?.explain(room, add);
      return 'doubtful';
    }
    let isBelowZero = false;
    for (const delta of deltas) if (this.#count(server, known, delta) < 0) isBelowZero = true;
    return isBelowZero ? 'doubtful' : 'ordinary';
  }

  /** Counts posts. Returns the worst finding for each server that has one. */
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

  /** Whether a server's newest delta went to an old URL or was not counted. Then its counts cannot be right. */
  isDoubtful(server: ServerId): boolean {
    const known = this.#servers.get(server);
    if (known?.base === undefined) return false;
    if (this.#snapshotDue.has(server)) return true;
    return known.newestDelta !== undefined && known.newestDelta < known.base;
  }

  /** Whether a room of the server is below zero. A late +1 may lift it. */
  hasDip(server: ServerId): boolean {
    return this.#servers.get(server)?.dips !== undefined;
  }

  /**
   * Looks at the rooms below zero; called at equal intervals. `lasting`: this was the last look that a
   * room needed to count as wrong. `isDue`: a room is too new to judge, so another look is needed.
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

  /** Removes a server's counts from the totals until its next snapshot. */
  drop(server: ServerId): void {
    const known = this.#servers.get(server);
    if (!known) return;
    this.#settle(known);
    this.#servers.delete(server);
    this.#overLimit.delete(server);
    this.#snapshotDue.delete(server);
    for (const [room, count] of known.counts.rooms) this.#show(room, -shown(count));
  }

  /**
   * Drops all counts, and all open requests, because their snapshots would miss deltas. The changes are
   * not noted for each room: the feed starts over.
   */
  clear(): void {
    for (const known of this.#servers.values()) this.#settle(known);
    this.#servers = new Map();
    this.#overLimit.clear();
    this.#snapshotDue.clear();
    this.#totals = new Map();
    this.#changed = new Set();
    this.#posters = [];
    this.#connections = 0;
  }

  /** Servers that sent their first post after a snapshot since the last call. */
  takePosters(): ServerId[] {
    const posters = this.#posters;
    if (posters.length > 0) this.#posters = [];
    return posters;
  }

  /** Whether a server has posted since its last snapshot. True for unknown servers: nobody needs to know. */
  hasPosted(server: ServerId): boolean {
    return this.#servers.get(server)?.hasPosted ?? true;
  }

  /** The epoch of a server's newest merged snapshot. */
  baseOf(server: ServerId): Epoch | undefined {
    return this.#servers.get(server)?.base;
  }

  /** The number of rooms and connections on a server. */
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

  /** The rooms with connections on one server, at this moment. */
  roomsOn(server: ServerId): (readonly [RoomName, number])[] {
    const rooms = this.#servers.get(server)?.counts.rooms ?? [];
    return [...rooms].filter(([, count]) => count > 0);
  }

  /** Servers that reported more than the limits allow. Only a part of them is counted. */
  get overLimit(): ReadonlySet<ServerId> {
    return this.#overLimit;
  }

  /**
   * Servers with posts to the URL of a start-up answer since their last snapshot. They may have
   * restarted, so their counts may be those of the process before.
   */
  get snapshotDue(): { readonly size: number; has(server: ServerId): boolean } {
    return this.#snapshotDue;
  }

  /** Connections of each room that has any, over all servers. */
  get totals(): ReadonlyMap<RoomName, number> {
    return this.#totals;
  }

  /** All connections of all rooms. */
  get connections(): number {
    return this.#connections;
  }

  /**
   * Connections by which the counts were wrong, in all snapshots since the start. Posts that were only late do not
   * count. A correction is added with the next snapshot of its server, or when that is dropped.
   */
  get corrected(): number {
    return this.#corrected;
  }

  /** The part of `corrected` that is of one server, since it is counted; undefined: it is not. */
  correctedOn(server: ServerId): number | undefined {
    return this.#servers.get(server)?.corrected;
  }

  /** Rooms whose totals changed since the last call. The caller owns the set. */
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
   * Does not count a post to the URL of a start-up answer: any process at the server's address can get
   * such a URL. The real server gets an activation next, and its snapshot contains these deltas.
   */
  #passOver(server: ServerId, known: ServerCounts, epoch: Epoch): Finding {
    if (known.base !== undefined && epoch < known.base) {
      known.newestDelta = epoch;
      return 'superseded';
    }
    if (epoch > (this.#snapshotDue.get(server) ?? 0)) this.#snapshotDue.set(server, epoch);
    return known.base === undefined ? 'ordinary' : 'doubtful';
  }

  /** Late posts have arrived by now. What they do not explain was wrong. */
  #settle(known: ServerCounts): void {
    if (!known.correction) return;
    this.#corrected += known.correction.connections;
    known.corrected += known.correction.connections;
    known.correction = undefined;
  }

  /** Returns the room's new sum on its server, or zero if the delta could not be counted. */
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

  /** Returns the new sum, or undefined if the room does not fit or was left out before. */
  #addTo(server: ServerId, counts: Sums, room: RoomName, add: number): number | undefined {
    // If rooms were left out before, a room that seems new may be one of them.
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
