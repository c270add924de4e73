import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { localUpstream } from '../../../../server/cluster/relay/localUpstream.js';
import { Relay } from '../../../../server/cluster/relay/relay.js';
import type { Upstream, UpstreamEvents } from '../../../../server/cluster/relay/upstream.js';
import { Feed } from '../../../../server/fleet/feed.js';
import { systemClock } from '../../../../server/timing/clock.js';
import { FakeSource } from '../../../support/fakeSource.js';
import { FakeViewer } from '../../../support/fakeViewer.js';
import { messagesOf } from '../../../support/relayStage.js';
import { runs } from '../../../support/runs.js';

beforeEach(() => {
  jest.useFakeTimers({ now: 0 });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A leader and its fleet. Its stream may be cut, and lose what is under way. */
class TestLeader {
  readonly source = new FakeSource();
  readonly upstream: Upstream;
  readonly term: number;
  isSettled: boolean;
  isHeld = true;
  readonly #feed: Feed;
  #events: UpstreamEvents | undefined;

  constructor(term: number) {
    this.term = term;
    this.isSettled = term === 1;
    this.source.complete = this.isSettled;
    const isTakeover = term > 1;
    const detail = () => (this.isSettled ? 'watched' : null);
    const forInstances = { isTakeover, detail };
    this.#feed = new Feed(this.source, { run: `${term}`, frameIntervalMs: 50, forInstances });
    const { open } = localUpstream(
      {
        term,
        feed: this.#feed,
        isHeld: () => this.isHeld,
        viewerConnected() {},
        viewerDisconnected() {},
      },
      systemClock,
    );
    this.upstream = {
      term,
      open: (events, lastEventId) => {
        this.#events = events;
        return open(events, lastEventId);
      },
    };
  }

  set(room: string, count: number): void {
    this.source.set(room, count);
    this.#feed.publish();
  }

  settle(): void {
    this.isSettled = true;
    this.source.complete = true;
    this.#feed.publish();
  }

  /** All servers are silenced and asked again. */
  restart(): void {
    this.isSettled = false;
    this.source.complete = false;
    for (const room of [...this.source.totals.keys()]) this.source.set(room, 0);
    this.source.takeChangedRooms();
    this.#feed.restart();
  }

  cut(): void {
    this.#events?.onEnd('cut');
  }

  close(): void {
    this.isHeld = false;
    this.#feed.close();
  }
}

/** A client that puts events together as the protocol says. */
class Client {
  viewer = new FakeViewer();
  readonly rooms = new Map<string, number>();
  lastEventId: string | undefined;
  complete = false;

  /** Reads what has come. `onStatus` is called at each status. */
  read(onStatus: () => void): void {
    for (const message of messagesOf(this.viewer)) {
      const event = /^event: (.*)$/m.exec(message)?.[1];
      const data = JSON.parse(/^data: (.*)$/m.exec(message)?.[1] ?? '{}');
      this.lastEventId = /^id: (.*)$/m.exec(message)?.[1] ?? this.lastEventId;
      if (event === 'snapshot') this.rooms.clear();
      for (const [room, count] of Object.entries<number>(data.rooms ?? {})) {
        if (count > 0) this.rooms.set(room, count);
        else this.rooms.delete(room);
      }
      if (event === 'status') this.complete = data.complete;
      if (event === 'status') onStatus();
    }
  }
}

const room = fc.constantFrom('a', 'b', 'c', '__proto__');
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('set' as const), room, count: fc.nat({ max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 60, 700, 2500, 6000),
    }),
  },
  fc.record({
    kind: fc.constantFrom(
      'cut' as const,
      'succeed' as const,
      'lose' as const,
      'settle' as const,
      'restart' as const,
    ),
  }),
  fc.record({
    kind: fc.constantFrom('stall' as const, 'drain' as const, 'return' as const),
    client: fc.nat({ max: 2 }),
  }),
);

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

class World {
  term = 1;
  leader = new TestLeader(1);
  readonly relay = new Relay({
    clock: systemClock,
    frameIntervalMs: 50,
    lingerMs: 3000,
    random: () => 0.5,
  });
  readonly clients = [new Client(), new Client(), new Client()];

  constructor() {
    this.relay.follow(this.leader.upstream);
    for (const client of this.clients) this.relay.add(client.viewer.viewer, 'changes');
  }

  do(doing: Step): void {
    const { leader, relay } = this;
    if ('client' in doing) this.#doClient(doing.kind, this.clients[doing.client] as Client);
    else if (doing.kind === 'set') this.set(doing.room, doing.count);
    else if (doing.kind === 'pass') this.pass(doing.ms);
    else if (doing.kind === 'cut') leader.cut();
    else if (doing.kind === 'settle') leader.settle();
    else if (doing.kind === 'restart') this.restart();
    else if (doing.kind === 'lose') relay.follow(undefined);
    else this.succeed();
  }

  set(room: string, count: number): void {
    this.changedAt = performance.now();
    this.leader.set(room, count);
  }

  restart(): void {
    this.changedAt = performance.now();
    this.leader.restart();
  }

  #doClient(kind: 'stall' | 'drain' | 'return', client: Client): void {
    if (kind === 'stall') client.viewer.isReading = false;
    if (kind === 'drain') client.viewer.drain();
    if (kind !== 'return') return;
    this.relay.remove(client.viewer.viewer);
    client.viewer = new FakeViewer();
    client.complete = false;
    this.relay.add(client.viewer.viewer, 'changes', client.lastEventId);
  }

  /** When the leader's counts changed last. It sends them within a frame interval. */
  changedAt = 0;

  /** The next leader takes the fleet over. Its counts come one by one. */
  succeed(): void {
    this.relay.follow(undefined);
    this.leader.close();
    this.term += 1;
    const { totals } = this.leader.source;
    this.leader = new TestLeader(this.term);
    this.relay.follow(this.leader.upstream);
    for (const [name, count] of totals) this.set(name, count);
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 10) {
      jest.advanceTimersByTime(10);
      this.check();
    }
  }

  /** A client that is told that its numbers are complete has the counts of the leader. */
  check(): void {
    const isSent = performance.now() - this.changedAt > 60;
    for (const client of this.clients)
      client.read(() => {
        if (client.complete && isSent) expect(client.rooms).toEqual(this.leader.source.totals);
      });
  }

  /** Lets everything come to rest: then all clients have the leader's counts, and know it. */
  rest(): void {
    this.relay.follow(this.leader.upstream);
    for (const { viewer } of this.clients) viewer.drain();
    this.leader.settle();
    this.pass(3000);
    for (const { viewer } of this.clients) viewer.drain();
    this.pass(1500);
    for (const client of this.clients) {
      expect(client.rooms).toEqual(this.leader.source.totals);
      expect(client.complete).toBe(true);
    }
  }

  close(): void {
    this.relay.close();
    this.leader.close();
  }
}

test('whatever happens, all clients end with the counts of the leader, and know it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World();
      try {
        for (const doing of steps) world.do(doing);
        world.rest();
      } finally {
        world.close();
        jest.clearAllTimers();
      }
    }),
    runs(50),
  );
});
