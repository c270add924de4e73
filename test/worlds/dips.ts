import type { Epoch, ServerId } from '../../machines/ports.js';
import type { Remembered } from './memory.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

/** For so long a room below zero may, and from then on must, speak against the numbers of its server. */
const lastingMs = { least: 250, most: 375 };
/** Of sums of times. */
const roundingMs = 0.01;

/** The rooms of one server that are below zero, on one snapshot. */
interface Followed {
  readonly base: Epoch;
  attempt: Epoch;
  /** Since when each room is there, as far as no attempt has answered for it. */
  readonly sinceMs: Map<string, { atMs: number; isAnswered: boolean }>;
  /** The longest time that one was there: on this snapshot, and since the newest attempt. */
  longestMs: number;
  unansweredMs: number;
}

/** The truth about rooms below zero, from what was recorded: which of these dips heal, and which must not be believed. */
export class Dips {
  readonly #world: World;
  readonly #remembered: () => ReadonlyMap<ServerId, Remembered>;
  readonly #followed = new Map<ServerId, Followed>();

  constructor(
    world: World,
    { context: { tally } }: SimulatedService,
    remembered: () => ReadonlyMap<ServerId, Remembered>,
  ) {
    this.#world = world;
    this.#remembered = remembered;
    const record = tally.record.bind(tally);
    tally.record = (post) => {
      this.#look(post.server);
      const finding = record(post);
      this.#look(post.server);
      return finding;
    };
    const lookAtDips = tally.lookAtDips.bind(tally);
    tally.lookAtDips = (server) => {
      // A snapshot may have brought the dip, with nothing posted since.
      this.#look(server);
      const seen = lookAtDips(server);
      if (seen.lasting) this.#checkLasting(server);
      return seen;
    };
  }

  /** A -1 that overtakes its +1 has nobody asked. */
  #checkLasting(server: ServerId): void {
    const { longestMs = 0 } = this.#look(server) ?? {};
    if (longestMs < lastingMs.least - roundingMs)
      this.#world.fail('2: one broadcast', `${server} is doubted for a dip of ${longestMs} ms`);
  }

  /** Whether it was there for so long that the server must be asked, whatever has lifted it since. */
  mustDoubt(server: ServerId): boolean {
    const followed = this.#look(server);
    if (!followed || followed.unansweredMs <= lastingMs.most + roundingMs) return false;
    return true;
  }

  #look(server: ServerId): Followed | undefined {
    const remembered = this.#remembered().get(server);
    if (remembered?.base === undefined) {
      this.#followed.delete(server);
      return undefined;
    }
    let followed = this.#followed.get(server);
    if (followed?.base !== remembered.base) {
      const { base, attempt } = remembered;
      followed = { base, attempt, sinceMs: new Map(), longestMs: 0, unansweredMs: 0 };
      this.#followed.set(server, followed);
    }
    this.#update(followed, remembered);
    return followed;
  }

  #update(followed: Followed, { attempt, counts }: Remembered): void {
    const { nowMs } = this.#world;
    for (const [room, count] of counts.rooms)
      if (count < 0 && !followed.sinceMs.has(room))
        followed.sinceMs.set(room, { atMs: nowMs, isAnswered: false });
    const isAttempt = attempt !== followed.attempt;
    followed.attempt = attempt;
    if (isAttempt) followed.unansweredMs = 0;
    for (const [room, dip] of followed.sinceMs) {
      const ms = nowMs - dip.atMs;
      // It was looked at before this request, perhaps: then it is not acted on again.
      if (isAttempt && ms >= lastingMs.least - roundingMs) dip.isAnswered = true;
      followed.longestMs = Math.max(followed.longestMs, ms);
      if (!dip.isAnswered) followed.unansweredMs = Math.max(followed.unansweredMs, ms);
      if ((counts.rooms.get(room) ?? 0) >= 0) {
        const isLasting = ms > lastingMs.most;
        if (isLasting) this.#world.countCheck('a dip that was lifted too late');
        else if (ms < lastingMs.least) this.#world.countCheck('a dip that heals by itself');
        followed.sinceMs.delete(room);
      }
    }
  }
}
