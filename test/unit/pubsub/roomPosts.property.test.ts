import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ServerId } from '../../../machines/ports.js';
import type { LocalFollower } from '../../../server/pubsub/followedRoom.js';
import { RoomPosts } from '../../../server/pubsub/roomPosts.js';
import { runs } from '../../support/runs.js';
import { HeapClock } from '../machines/heapClock.js';

const servers = ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1'] as ServerId[];
const rooms = ['a', 'b', 'c'];
const requestTimeoutMs = 2000;
const listLifetimeMs = 90_000;

/** A server as it really is, whatever the service knows of it. */
interface Truth {
  readonly held: Set<string>;
  list: readonly string[];
  listedAtMs: number;
}

interface Request {
  readonly server: ServerId;
  readonly rooms: readonly string[];
  readonly sentAtMs: number;
  settle: (error?: Error) => void;
}

type Op =
  | { op: 'watch' | 'unwatch' | 'round'; room: string }
  | { op: 'hold' | 'release'; server: ServerId; room: string; isTold: boolean }
  | { op: 'restart'; server: ServerId; isTold: boolean }
  | { op: 'confirm' | 'fail' | 'failButApply'; which: number }
  | { op: 'pass'; ms: number };

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Rooms, servers and the requests between them, in which everything can go wrong. */
class World {
  readonly clock = new HeapClock();
  readonly truths = new Map<ServerId, Truth>();
  readonly told = new Map<string, string>();
  readonly #watched = new Map<string, LocalFollower>();
  #open: Request[] = [];
  /** Requests that failed and may still be applied. */
  #late: Request[] = [];
  readonly posts = new RoomPosts({
    send: (server, list) =>
      new Promise((resolve, reject) => {
        if (this.#open.some((each) => each.server === server)) throw new Error('two at a time');
        const end = (error?: Error) => (error ? reject(error) : resolve());
        this.#open.push({ server, rooms: [...list], sentAtMs: this.clock.nowMs, settle: end });
      }),
    isAble: () => true,
    requestTimeoutMs,
    onFailed: () => undefined,
    clock: this.clock,
  });

  constructor() {
    for (const server of servers)
      this.truths.set(server, { held: new Set(), list: [], listedAtMs: 0 });
  }

  async run(op: Op): Promise<void> {
    if (op.op === 'watch') this.#watch(op.room);
    else if (op.op === 'unwatch') this.#unwatch(op.room);
    else if (op.op === 'round') this.#round(op.room);
    else if (op.op === 'hold') this.#hold(op.server, op.room, op.isTold);
    else if (op.op === 'release') this.#truth(op.server).held.delete(op.room);
    else if (op.op === 'restart') this.#restart(op.server, op.isTold);
    else if (op.op === 'pass') this.pass(op.ms);
    else if ('which' in op) this.#answer(op.op, op.which);
    await settle();
  }

  /** Everything works from now on, and enough time passes. */
  async calm(): Promise<void> {
    for (const room of this.#watched.keys()) this.#round(room);
    for (let ms = 0; ms < 2 * listLifetimeMs; ms += 1000) {
      while (this.#open.length > 0) await this.run({ op: 'confirm', which: 0 });
      this.pass(1000);
      await settle();
      if (ms % 5000 === 0) for (const room of this.#watched.keys()) this.#round(room);
    }
  }

  /** What each server should post: what it holds of the watched rooms. */
  expected(server: ServerId): string[] {
    const { held } = this.#truth(server);
    return [...this.#watched.keys()].filter((room) => held.has(room)).sort();
  }

  isHeld(room: string): boolean {
    return servers.some((server) => this.#truth(server).held.has(room));
  }

  /** Whether the server is just being told to post the room. */
  isAsked(server: ServerId, room: string): boolean {
    return this.#open.some((each) => each.server === server && each.rooms.includes(room));
  }

  get watched(): string[] {
    return [...this.#watched.keys()];
  }

  #truth(server: ServerId): Truth {
    return this.truths.get(server) as Truth;
  }

  #watch(room: string): void {
    if (this.#watched.has(room)) return;
    const tell = (standing: string) => () => void this.told.set(room, standing);
    const nothing = () => undefined;
    const posted = this.posts.follow(room, {
      onFollowed: tell('followed'),
      onLost: tell('lost'),
      onMissing: tell('missing'),
      onUpdate: nothing,
      onAwareness: nothing,
      onDropped: nothing,
    });
    this.#watched.set(room, posted);
    posted.note(servers.filter((server) => this.#truth(server).held.has(room)));
  }

  #unwatch(room: string): void {
    const posted = this.#watched.get(room);
    if (posted) posted.end();
    this.#watched.delete(room);
    this.told.delete(room);
  }

  #round(room: string): void {
    const posted = this.#watched.get(room);
    posted?.beginRound();
    const answer = (server: ServerId) => (this.#truth(server).held.has(room) ? 'holds' : 'denies');
    posted?.endRound(new Map(servers.map((server) => [server, answer(server)])));
  }

  #hold(server: ServerId, room: string, isTold: boolean): void {
    this.#truth(server).held.add(room);
    if (isTold) this.posts.noteDeltas(server, [{ room, add: 1 }]);
  }

  #restart(server: ServerId, isTold: boolean): void {
    Object.assign(this.#truth(server), { list: [] });
    this.#late = this.#late.filter((each) => each.server !== server);
    if (isTold) this.posts.noteAgent(server, { hasRestarted: true });
  }

  #answer(how: 'confirm' | 'fail' | 'failButApply', which: number): void {
    const request = this.#open[which % this.#open.length];
    if (!request) return;
    this.#open = this.#open.filter((each) => each !== request);
    if (how === 'failButApply') this.#late.push(request);
    if (how === 'confirm') this.#apply(request);
    request.settle(how === 'confirm' ? undefined : new Error('no answer'));
  }

  #apply({ server, rooms: list }: Request): void {
    Object.assign(this.#truth(server), { list, listedAtMs: this.clock.nowMs });
  }

  pass(ms: number): void {
    const untilMs = this.clock.nowMs + ms;
    // As late as a request can be applied, which is the worst time.
    for (const request of this.#late.filter(
      ({ sentAtMs }) => sentAtMs + requestTimeoutMs <= untilMs,
    )) {
      this.#late = this.#late.filter((each) => each !== request);
      this.clock.advance(Math.max(0, request.sentAtMs + requestTimeoutMs - 1 - this.clock.nowMs));
      this.#apply(request);
    }
    this.clock.advance(Math.max(0, untilMs - this.clock.nowMs));
    for (const truth of this.truths.values())
      if (this.clock.nowMs - truth.listedAtMs >= listLifetimeMs) truth.list = [];
  }
}

const room = fc.constantFrom(...rooms);
const server = fc.constantFrom(...servers);
const isTold = fc.boolean();
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('watch' as const), room }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('unwatch' as const), room }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('round' as const), room }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('hold' as const), server, room, isTold }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('release' as const), server, room, isTold }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const), server, isTold }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom(
        'confirm' as const,
        'confirm' as const,
        'fail' as const,
        'failButApply' as const,
      ),
      which: fc.nat(5),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 250, 1000, 2000, 5000, 30_000),
    }),
  },
);

test('whatever fails, is late or restarts: in the end each server posts the watched rooms that it holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 60 }), async (ops) => {
      const world = new World();
      for (const each of ops) await world.run(each);
      await world.calm();
      for (const id of servers)
        expect([id, [...(world.truths.get(id)?.list ?? [])].sort()]).toEqual([
          id,
          world.expected(id),
        ]);
      for (const name of world.watched)
        expect([name, world.told.get(name)]).toEqual([
          name,
          world.isHeld(name) ? 'followed' : 'missing',
        ]);
      world.posts.close();
      expect(world.clock.pending).toBe(0);
    }),
    runs(100),
  );
}, 120_000);

const harmless = op.filter(
  (each) => each.op !== 'restart' && each.op !== 'failButApply' && each.op !== 'release',
);

test('a room is followed only while every server that is known to hold it posts it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(harmless, { maxLength: 60 }), async (ops) => {
      const world = new World();
      for (const each of ops) {
        await world.run(each);
        for (const name of world.watched.filter((one) => world.told.get(one) === 'followed'))
          for (const id of servers.filter((one) => world.posts.get(name)?.isHeldBy(one)))
            if (!world.isAsked(id, name)) expect(world.truths.get(id)?.list).toContain(name);
      }
    }),
    runs(100),
  );
}, 120_000);
