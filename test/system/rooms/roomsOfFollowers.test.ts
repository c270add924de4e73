import { connect } from 'node:net';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { InstanceRequests } from '../../../server/cluster/instanceRequests.js';
import { InstanceSignatures, signatureHeader } from '../../../server/cluster/instanceSignatures.js';
import { createApp } from '../../../server/http/app.js';
import { instanceRoomRoutes } from '../../../server/http/routes/instanceRooms.js';
import { RoomPosts } from '../../../server/pubsub/roomPosts.js';
import { FollowerFacts } from '../../../server/rooms/instances/followerFacts.js';
import { leaderLink } from '../../../server/rooms/instances/leaderLink.js';
import { type LedFleet, RoomSources } from '../../../server/rooms/instances/roomSources.js';
import type { FleetFacts } from '../../../server/rooms/lookup/fleetFacts.js';
import type { RoomDirectory } from '../../../server/rooms/lookup/roomDirectory.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';
import { notedEvents } from '../../support/notedEvents.js';
import { owns } from '../../support/stage.js';

const harness = useHarness();
const [one, two] = ['10.0.0.1:8001', '10.0.0.2:8001'] as [ServerId, ServerId];
const room = 'a b/ü';

/** An instance with its rooms, and its routes for other instances over real HTTP. */
interface Instance {
  id: string;
  url: string;
  sources: RoomSources;
  requests: InstanceRequests;
  posts: RoomPosts;
  /** What servers were told to post. */
  told: [ServerId, readonly string[]][];
  wanted: boolean[];
  lead: () => void;
  follow: (leader: Instance) => void;
}

const facts: FleetFacts = {
  factsOf: async (name) => ({
    holders: [
      { server: one, connections: name.length, takesNames: true, isStored: false, isGone: false },
    ],
    connections: name.length,
    isComplete: true,
    seen: { firstMs: 1, lastMs: 2 },
  }),
  serversFor: async () => [
    { server: one, connections: 0, takesNames: true },
    { server: two, connections: null, takesNames: false },
  ],
  about: (server) => ({ server, connections: null, takesNames: true }),
  isAnyTakingNames: () => true,
};
const directory = {
  holders: async (name: string) => (await facts.factsOf(name, [])).holders,
} as unknown as RoomDirectory;

async function startInstance(id: string): Promise<Instance> {
  const told: Instance['told'] = [];
  const wanted: boolean[] = [];
  const posts = owns(
    new RoomPosts({
      send: async (server, rooms) => void told.push([server, [...rooms]]),
      isAble: () => true,
      requestTimeoutMs: 2000,
      onFailed: () => undefined,
    }),
    (it) => it.close(),
  );
  const sources = new RoomSources(
    new FollowerFacts({
      remembered: async () => [two],
      takesNames: () => false,
      pubSubPort: 8001,
      now: () => performance.now(),
    }),
  );
  const signatures = new InstanceSignatures(clusterSecret, id);
  const requests = owns(new InstanceRequests(signatures), (it) => it.close());
  const cluster = clusterNeeds(signatures, {
    addRoutes: (router) =>
      instanceRoomRoutes(router, {
        led: () => sources.led,
        bodyTimeoutMs: 5000,
        showsContent: true,
      }),
  });
  const { url } = await harness.app(createApp(appNeeds({ cluster })));
  const fleet = { facts, posts, onUpdatesWanted: (isWanted: boolean) => wanted.push(isWanted) };
  owns(sources, (it) => it.follow(undefined));
  return {
    id,
    url,
    sources,
    requests,
    posts,
    told,
    wanted,
    lead: () => sources.lead(fleet as unknown as LedFleet, directory),
    follow: (leader) =>
      sources.follow(leaderLink(requests, { instance: leader.id, url: leader.url })),
  };
}

let leader: Instance;
let follower: Instance;
beforeEach(async () => {
  leader = await startInstance('leader');
  follower = await startInstance('follower');
  leader.lead();
  follower.follow(leader);
});

/** A room that the follower follows. */
async function followed() {
  const noted = notedEvents();
  const all: string[] = [];
  const room_ = follower.sources.channels.follow(room, noted.events);
  const told = () => {
    all.push(...noted.take());
    return all;
  };
  await eventually(() => expect(told()).toEqual([`followed ${one}`]));
  return { room: room_, told };
}

test('servers post a room to the leader, and it reaches the instance that watches it', async () => {
  const { told } = await followed();
  expect(leader.told).toEqual([[one, [room]]]);
  const large = Buffer.alloc(3 * 1024 * 1024, 7);
  leader.sources.takeContent(one, [
    { room, update: 'AQI=' },
    { room, awareness: 'Aw==' },
    { room, lost: true },
  ]);
  await eventually(() => expect(told().slice(1)).toEqual(['update 1,2', 'awareness 3', 'dropped']));
  leader.sources.takeContent(one, [{ room, update: large.toString('base64') }]);
  // On a busy machine the link may end and begin again meanwhile.
  const update = `update ${large.join()}`;
  await eventually(() => expect(told().includes(update)).toBe(true));
});

test('servers stop posting a room when its last viewer leaves', async () => {
  const followed_ = await followed();
  followed_.room.end();
  await eventually(() => expect(leader.told.at(-1)).toEqual([one, []]));
});

test('the leader learns from rounds who holds the room', async () => {
  const { room: watched, told } = await followed();
  watched.beginRound();
  watched.endRound(
    new Map([
      [one, 'denies'],
      [two, 'holds'],
    ]),
  );
  await eventually(() => expect(leader.posts.get(room)?.isHeldBy(two)).toBe(true));
  await eventually(() => expect(told().at(-1)).toBe(`followed ${two}`));
  expect(leader.posts.get(room)?.isHeldBy(one)).toBe(false);
  expect(watched.takeJustFollowed()).toEqual([two]);
});

test('who holds a room is asked of the leader', async () => {
  const answer = await follower.sources.facts.factsOf(room, []);
  expect(answer).toEqual(await facts.factsOf(room, []));
  expect(await follower.sources.facts.serversFor(room)).toEqual(await facts.serversFor(room));
});

describe('when the leader is lost', () => {
  test('its rooms are lost, and followed again at the next one', async () => {
    const { told } = await followed();
    leader.sources.follow(undefined);
    await eventually(() => expect(told().slice(1)).toEqual(['lost']));
    // The old leader must not tell servers anything.
    expect(leader.told).toEqual([[one, [room]]]);
    const next = await startInstance('next');
    next.lead();
    follower.follow(next);
    await eventually(() => expect(told().slice(2)).toEqual([`followed ${one}`]));
    expect(next.told).toEqual([[one, [room]]]);
  });

  test('who leads next itself keeps its rooms', async () => {
    const { told } = await followed();
    leader.sources.follow(undefined);
    follower.lead();
    await eventually(() => expect(told()).toEqual([`followed ${one}`, 'lost', `followed ${one}`]));
    expect(follower.told).toEqual([[one, [room]]]);
    follower.sources.takeContent(one, [{ room, update: 'AQI=' }]);
    expect(told().at(-1)).toBe('update 1,2');
  });

  test('every remembered server may be asked for rooms', async () => {
    leader.sources.follow(undefined);
    expect(await follower.sources.facts.serversFor(room)).toEqual([
      { server: two, connections: null, takesNames: false },
    ]);
  });

  test('it knows the servers that it led', async () => {
    leader.sources.follow(undefined);
    await eventually(async () => {
      const known = await leader.sources.facts.serversFor(room);
      expect(known.map(({ server }) => server)).toEqual([one, two]);
    });
  });

  test('its servers are not told that nobody follows updates', async () => {
    const nothing = () => {};
    const lost: string[] = [];
    const events = { onAsked: nothing, onUpdate: nothing, onLost: () => lost.push('lost') };
    follower.sources.updates.follow(events);
    await eventually(() => expect(leader.wanted).toEqual([true]));
    leader.sources.follow(undefined);
    await eventually(() => expect(lost).toHaveLength(1));
    expect(leader.wanted).toEqual([true]);
  });

  test('the same leader is tried again until it leads', async () => {
    const { told } = await followed();
    leader.sources.follow(undefined);
    await eventually(() => expect(told().slice(1)).toEqual(['lost']));
    leader.lead();
    await eventually(() => expect(told().slice(2)).toEqual([`followed ${one}`]));
  });
});

test('an update of any document reaches the viewers of every instance, which are one viewer', async () => {
  const told: string[] = [];
  const events = () => ({
    onAsked: () => told.push('asked'),
    onUpdate: (name: string, update: Uint8Array) => told.push(`${name} ${update.join()}`),
    onLost: () => told.push('lost'),
  });
  const leave = follower.sources.updates.follow(events());
  await eventually(() => expect([told, leader.wanted]).toEqual([['asked'], [true]]));
  leader.sources.takeUpdate('ä"', Buffer.of(1, 2));
  // An update of a watched room comes this way, and only this way.
  leader.sources.takeContent(one, [{ room: 'b', update: 'Aw==' }]);
  await eventually(() => expect(told.slice(1)).toEqual(['ä" 1,2', 'b 3']));
  leave();
  await eventually(() => expect(leader.wanted).toEqual([true, false]));
});

test('an instance that does not read is told that it missed something', async () => {
  const path = `/api/instances/rooms/posts?room=${encodeURIComponent(room)}`;
  const { hostname, port } = new URL(leader.url);
  const socket = owns(connect(Number(port), hostname), (it) => it.destroy());
  const signature = new InstanceSignatures(clusterSecret, 'slow').sign(
    { method: 'GET', target: path },
    leader.id,
  );
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${signatureHeader}: ${signature}\r\n\r\n`);
  await eventually(() => expect(text).toContain('event: subscribed'));
  socket.pause();
  const update = Buffer.alloc(1024 * 1024, 7).toString('base64');
  for (let i = 0; i < 40; i += 1) {
    leader.sources.takeContent(one, [{ room, update }]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  leader.sources.takeContent(one, [{ room, awareness: 'Aw==' }]);
  socket.resume();
  await eventually(() => expect(text).toContain('event: lost'));
  await eventually(() => expect(text.split('event: subscribed')).toHaveLength(3));
  const names = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
  const lostAt = names.indexOf('lost');
  expect(names.slice(lostAt, lostAt + 2)).toEqual(['lost', 'subscribed']);
  expect(names.filter((name) => name === 'update').length).toBeLessThan(40);
});

test.each([
  ['GET', '/api/instances/rooms/holders?room=a'],
  ['GET', '/api/instances/rooms/servers'],
  ['GET', '/api/instances/rooms/posts?room=a'],
  ['POST', '/api/instances/rooms/rounds'],
  ['GET', '/api/instances/updates'],
] as const)('only instances may ask, and only the leader answers: %s %s', async (method, path) => {
  const unsigned = await ask(leader.url + path, { method });
  expect(unsigned.status).toBe(404);
  const body = method === 'POST' ? JSON.stringify({ room, notes: 0, answers: [] }) : undefined;
  const { status, body: text } = await leader.requests.ask(
    { instance: follower.id, url: follower.url },
    path,
    { method, ...(body && { body, headers: { 'Content-Type': 'application/json' } }) },
  );
  expect([status, JSON.parse(text)]).toMatchObject([503, { error: { code: 'no_leader' } }]);
});

test.each([
  '{',
  '[]',
  '{"room":"a","notes":-1,"answers":[]}',
  '{"room":"a","notes":0,"answers":[["x","is"]]}',
])('a round that cannot be read is refused: %s', async (body) => {
  const peer = { instance: leader.id, url: leader.url };
  const path = '/api/instances/rooms/rounds';
  const headers = { 'Content-Type': 'application/json' };
  const { status } = await follower.requests.ask(peer, path, { method: 'POST', headers, body });
  expect(status).toBe(400);
});
