import type { Connections, Epoch, RoomName, ServerId } from '../../../../machines/ports.js';
import { type Delta, type Post, Tally } from '../../../../machines/tally.js';

/** A pub-sub server as it really is: what it holds, and where it posts. */
interface RealServer {
  rooms: Connections;
  url?: { epoch: Epoch; fromStartup: boolean } | undefined;
  /** The newest epoch that it, or the process that it replaced, was ever told. */
  newestTold: number;
  /** Whether `url` was told after a newer one: what was posted to that cannot be told from what follows. */
  isOvertaken: boolean;
}

/** What is on its way to a server: lost, or applied at any later time. */
interface Call {
  readonly server: ServerId;
  readonly epoch: Epoch;
  readonly type: 'activation' | 'silence' | 'startup';
}

/** A delta as it is posted, by itself. */
type PostedDelta = Omit<Post, 'deltas'> & Delta;

interface Answer {
  readonly server: ServerId;
  readonly epoch: Epoch;
  readonly snapshot: Connections;
}

/** One thing that happens in the world; the numbers pick among what there is. */
export interface Happening {
  readonly type: keyof TallyWorld['happenings'];
  readonly server: number;
  readonly room: number;
  readonly pick: number;
}

export const roomNames: readonly RoomName[] = ['a', '__proto__', 'constructor', ''];

const takeFrom = <T>(list: T[], pick: number): T | undefined =>
  list.splice(pick % Math.max(1, list.length), 1)[0];

/**
 * Pub-sub servers whose truth is known, a network that delays, reorders and loses, and a `Tally` that
 * follows them. Beside it the model: all snapshots and deltas, and the formula.
 */
export class TallyWorld {
  readonly tally = new Tally();
  readonly ids: ServerId[];
  readonly servers = new Map<ServerId, RealServer>();
  readonly calls: Call[] = [];
  readonly answers: Answer[] = [];
  readonly deltas: PostedDelta[] = [];

  readonly #arrived: PostedDelta[] = [];
  readonly #lost: PostedDelta[] = [];
  /** The newest attempt at each server, unless its counts were dropped since. */
  readonly #attempts = new Map<ServerId, Epoch>();
  readonly #bases = new Map<ServerId, Answer>();

  constructor(size: number) {
    this.ids = Array.from({ length: size }, (_, i) => `10.0.0.${i}:8001` as ServerId);
    for (const id of this.ids) {
      this.servers.set(id, { rooms: new Map(), newestTold: 0, isOvertaken: false });
    }
  }

  readonly happenings = {
    opened: ({ server, room }: Happening) => this.#change(server, room, 1),
    closed: ({ server, room }: Happening) => this.#change(server, room, -1),
    activationSent: ({ server }: Happening) => this.sendActivation(this.#id(server)),
    silenceSent: ({ server }: Happening) => {
      this.calls.push({
        server: this.#id(server),
        epoch: this.tally.nextEpoch(),
        type: 'silence',
      });
    },
    startupAnswered: ({ server }: Happening) => {
      this.calls.push({
        server: this.#id(server),
        epoch: this.tally.nextEpoch(),
        type: 'startup',
      });
    },
    callApplied: ({ pick }: Happening) => this.apply(takeFrom(this.calls, pick)),
    callLost: ({ pick }: Happening) => void takeFrom(this.calls, pick),
    answerDelivered: ({ pick }: Happening) => this.deliver(takeFrom(this.answers, pick)),
    answerLost: ({ pick }: Happening) => void takeFrom(this.answers, pick),
    deltaDelivered: ({ pick }: Happening) => this.post(takeFrom(this.deltas, pick)),
    deltaLost: ({ pick }: Happening) => {
      const delta = takeFrom(this.deltas, pick);
      if (delta) this.#lost.push(delta);
    },
    restarted: ({ server }: Happening) => {
      const real = this.servers.get(this.#id(server)) as RealServer;
      real.rooms = new Map();
      real.url = undefined;
    },
    dropped: ({ server }: Happening) => {
      const id = this.#id(server);
      this.tally.drop(id);
      this.#attempts.delete(id);
      this.#bases.delete(id);
    },
    cleared: () => {
      this.tally.clear();
      this.#attempts.clear();
      this.#bases.clear();
    },
  };

  happen(happening: Happening): void {
    this.happenings[happening.type](happening);
  }

  sendActivation(server: ServerId): void {
    const epoch = this.tally.openAttempt(server);
    this.#attempts.set(server, epoch);
    this.calls.push({ server, epoch, type: 'activation' });
  }

  apply(call: Call | undefined): void {
    if (!call) return;
    const { server, epoch, type } = call;
    const real = this.servers.get(server) as RealServer;
    real.url = type === 'silence' ? undefined : { epoch, fromStartup: type === 'startup' };
    real.isOvertaken = epoch < real.newestTold;
    real.newestTold = Math.max(epoch, real.newestTold);
    if (type === 'activation') {
      this.answers.push({ server, epoch, snapshot: new Map(real.rooms) });
    }
  }

  deliver(answer: Answer | undefined): void {
    if (!answer) return;
    const { server, epoch, snapshot } = answer;
    if (this.#attempts.get(server) === epoch) {
      this.#bases.set(server, { server, epoch, snapshot: new Map(snapshot) });
    }
    this.tally.merge(server, epoch, snapshot);
  }

  post(delta: PostedDelta | undefined): void {
    if (!delta) return;
    this.#arrived.push(delta);
    const { room, add, ...source } = delta;
    this.tally.record({ ...source, deltas: [{ room, add }] });
  }

  /**
   * Contract, section 6: `snapshot[E] + sum of deltas of epochs >= E`, clamped when shown. Anybody at the
   * address of a server can post under a start-up answer: that is in a later snapshot, or nowhere.
   */
  modelOf(server: ServerId): Connections {
    const base = this.#bases.get(server);
    const counts: Connections = new Map(base?.snapshot);
    for (const { server: sender, epoch, fromStartup, room, add } of this.#arrived) {
      if (!base || sender !== server || fromStartup || epoch < base.epoch) continue;
      counts.set(room, (counts.get(room) ?? 0) + add);
    }
    for (const [room, count] of counts) if (count < 1) counts.delete(room);
    return counts;
  }

  baseOf(server: ServerId): Epoch | undefined {
    return this.#bases.get(server)?.epoch;
  }

  truthOf(server: ServerId): Connections {
    return (this.servers.get(server) as RealServer).rooms;
  }

  /** Whether it posts under its newest snapshot's epoch, and all of that has come. */
  isQuiet(server: ServerId): boolean {
    const base = this.baseOf(server);
    const real = this.servers.get(server);
    if (base === undefined || real?.url?.epoch !== base || real.isOvertaken) return false;
    const isOut = (delta: PostedDelta) =>
      delta.server === server && !delta.fromStartup && delta.epoch >= base;
    return !this.deltas.some(isOut) && !this.#lost.some(isOut);
  }

  #id(server: number): ServerId {
    return this.ids[server % this.ids.length] as ServerId;
  }

  #change(index: number, roomIndex: number, add: 1 | -1): void {
    const server = this.#id(index);
    const { rooms, url } = this.servers.get(server) as RealServer;
    const room = roomNames[roomIndex % roomNames.length] as RoomName;
    const count = (rooms.get(room) ?? 0) + add;
    if (count < 0) return;
    if (count === 0) rooms.delete(room);
    else rooms.set(room, count);
    if (url) this.deltas.push({ server, ...url, room, add });
  }
}
