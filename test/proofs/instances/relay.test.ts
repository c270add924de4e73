import { isDeepStrictEqual } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { InstanceRequests } from '../../../server/cluster/instanceRequests.js';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import type { LeadingFeed } from '../../../server/cluster/relay/beats.js';
import { httpUpstream } from '../../../server/cluster/relay/httpUpstream.js';
import { localUpstream } from '../../../server/cluster/relay/localUpstream.js';
import { Relay } from '../../../server/cluster/relay/relay.js';
import { Feed } from '../../../server/fleet/feed.js';
import { createApp } from '../../../server/http/app.js';
import { instanceEventRoutes } from '../../../server/http/routes/instanceEvents.js';
import { systemClock } from '../../../server/timing/clock.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import type { EventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { FakeSource } from '../../support/fakeSource.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const changes = { path: '/api/events?stream=changes' };
const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** A leader with a fake fleet, whose lease a test ends. */
class TestLeader {
  readonly source = new FakeSource();
  readonly instance: string;
  readonly term: number;
  readonly feed: Feed;
  readonly leading: LeadingFeed;
  isHeld = true;
  followers = 0;
  url = '';

  constructor(term: number, { isTakeover = false } = {}) {
    this.term = term;
    this.instance = `i${term}`;
    if (isTakeover) Object.assign(this.source, { state: 'activating', complete: false });
    const detail = () => (this.source.state === 'active' ? 'watched' : null);
    const forInstances = { isTakeover, detail };
    this.feed = new Feed(this.source, { run: `${term}`, frameIntervalMs: 5, forInstances });
    this.leading = {
      term,
      feed: this.feed,
      isHeld: () => this.isHeld,
      viewerConnected: () => {
        this.followers += 1;
      },
      viewerDisconnected: () => {
        this.followers -= 1;
      },
    };
    endings.push(() => this.feed.close());
  }

  async listen(): Promise<this> {
    const leading = () => this.leading;
    const cluster = clusterNeeds(new InstanceSignatures(clusterSecret, this.instance), {
      addRoutes: (router) => instanceEventRoutes(router, { leading, clock: systemClock }),
    });
    this.url = (await harness.app(createApp(appNeeds({ cluster })))).url;
    return this;
  }

  set(counts: Record<string, number>): void {
    for (const [room, count] of Object.entries(counts)) this.source.set(room, count);
    this.feed.publish();
  }

  end(): void {
    this.isHeld = false;
    this.feed.close();
  }
}

const startLeader = (...args: ConstructorParameters<typeof TestLeader>) =>
  new TestLeader(...args).listen();

/** An instance that follows. */
async function startFollower() {
  const requests = new InstanceRequests(new InstanceSignatures(clusterSecret, 'follower'));
  const relay = new Relay({ clock: systemClock, frameIntervalMs: 5, lingerMs: 10_000 });
  endings.push(() => {
    relay.close();
    requests.close();
  });
  const { url } = await harness.app(createApp(appNeeds({ streams: { feed: relay } })));
  const follow = (leader: TestLeader) => relay.follow(httpUpstream({ leader, requests }));
  return { url, relay, follow };
}

const isComplete = (stream: EventStream) => stream.seen().complete === true;

test('viewers of a follower see what viewers of the leader see', async () => {
  const leader = await startLeader(7);
  const here = await startFollower();
  const there = await startFollower();
  here.follow(leader);
  there.relay.follow(localUpstream(leader.leading, systemClock));
  leader.set({ a: 1, 'grüße "x"': 2, ['__proto__']: 3 });
  const streams = [await harness.stream(here, changes), await harness.stream(there, changes)];
  for (const stream of streams) await eventually(() => expect(isComplete(stream)).toBe(true));
  for (let count = 1; count <= 20; count += 1) {
    leader.set({ a: count, [`room ${count}`]: 1, [`room ${count - 1}`]: 0 });
    await new Promise(setImmediate);
  }
  leader.source.setServer('s:1', 'live');
  leader.feed.publish();
  for (const stream of streams)
    await eventually(() => {
      expect(new Map(Object.entries(stream.rooms()))).toEqual(leader.source.totals);
      expect(stream.seen()).toMatchObject({
        complete: true,
        servers: { 's:1': { state: 'live' } },
      });
    });
  const tails = streams.map(({ messages }) => messages.filter(({ id }) => id).slice(-2));
  expect(tails[0]).toEqual(tails[1]);
  const whole = await harness.stream(here);
  await eventually(() => expect(whole.rooms()).toMatchObject({ a: 20, 'room 20': 1 }));
});

test('a follower is one viewer of the leader while it has any', async () => {
  const leader = await startLeader(7);
  const here = await startFollower();
  here.follow(leader);
  const streams = [await harness.stream(here), await harness.stream(here, changes)];
  await eventually(() => expect(here.relay.status()).toMatchObject({ state: 'live', viewers: 2 }));
  expect([leader.feed.viewers, leader.followers]).toEqual([1, 1]);
  for (const stream of streams) await stream.close();
  await eventually(() => expect([leader.feed.viewers, leader.followers]).toEqual([0, 0]));
  expect(here.relay.status().state).toBe('closed');
});

test('the map stays while leaders change, and one difference leads over', async () => {
  const leader = await startLeader(7);
  const here = await startFollower();
  here.follow(leader);
  leader.set({ a: 1, b: 2 });
  const viewer = await harness.stream(here, changes);
  const maps = await harness.stream(here);
  await eventually(() => expect(isComplete(viewer)).toBe(true));
  leader.end();
  await eventually(() => expect(viewer.seen().reason).toBe('leader_lost'));
  const next = await startLeader(8, { isTakeover: true });
  here.follow(next);
  await eventually(() => expect(here.relay.status().state).toBe('holding'));
  next.set({ a: 1 });
  next.set({ b: 3 });
  next.source.state = 'active';
  next.source.complete = true;
  next.feed.publish();
  await eventually(() => expect(isComplete(viewer)).toBe(true));
  expect(viewer.rooms()).toEqual({ a: 1, b: 3 });
  await eventually(() => expect(maps.rooms()).toEqual({ a: 1, b: 3 }));
  const seen = maps.messages.map(({ data }) => data);
  expect(seen.every((map) => map.includes('"a":1'))).toBe(true);
  const last = viewer.messages.filter(({ id }) => id).at(-1);
  expect(last).toMatchObject({ event: 'changes', id: expect.stringMatching(/^8\.1-/) });
  expect(JSON.parse(last?.data ?? '')).toMatchObject({ rooms: { b: 3 } });
});

test('an instance whose lease has ended is not believed', async () => {
  const leader = await startLeader(7);
  const here = await startFollower();
  here.follow(leader);
  const viewer = await harness.stream(here, changes);
  await eventually(() => expect(isComplete(viewer)).toBe(true));
  leader.isHeld = false;
  leader.set({ a: 1 });
  await eventually(() => expect(viewer.seen()).toMatchObject({ complete: false }));
  expect(viewer.rooms()).toEqual({ a: 1 });
  const age = JSON.parse(viewer.messages.at(-1)?.data ?? '').ageMs;
  expect(age).toBeGreaterThanOrEqual(1500);
});

test('the stream is for instances only, and there is none without a lease', async () => {
  const leader = await startLeader(7);
  const path = '/api/instances/events';
  expect(await ask(leader.url + path)).toMatchObject({ code: 'not_found' });
  const follower = new InstanceSignatures(clusterSecret, 'follower');
  const signed = (method: string) => ({
    method,
    headers: { 'Instance-Signature': follower.sign({ method, target: path }, leader.instance) },
  });
  expect((await ask(leader.url + path, signed('HEAD'))).status).toBe(200);
  leader.isHeld = false;
  expect(await ask(leader.url + path, signed('GET'))).toMatchObject({
    status: 503,
    code: 'no_leader',
  });
  expect(leader.feed.viewers).toBe(0);
});

test('a large fleet arrives in slices, with what changes meanwhile', async () => {
  const leader = await startLeader(7);
  const here = await startFollower();
  here.follow(leader);
  const names = Array.from({ length: 60_000 }, (_, i) => `a room with a longer name ${i}`);
  leader.set(Object.fromEntries(names.map((name) => [name, 1])));
  const viewer = await harness.stream(here, changes);
  for (let count = 2; count < 40; count += 1) {
    leader.set({ [names[count] ?? '']: count, [names[count * 2] ?? '']: 0 });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  leader.set({ last: 1 });
  const hasLast = () => viewer.messages.some(({ data }) => data.includes('"last":1'));
  await eventually(() => expect([isComplete(viewer), hasLast()]).toEqual([true, true]));
  const isSame = isDeepStrictEqual(new Map(Object.entries(viewer.rooms())), leader.source.totals);
  expect(isSame).toBe(true);
});
