import type { ServerId } from '../../machines/ports.js';
import type { Host } from './pubSubHost.js';
import type { World } from './world.js';

interface Kind {
  /** How often it happens beside the others. */
  readonly weight: number;
  /** Whether a world can be without it. */
  readonly isFault?: boolean;
  /** Whether a delta can be lost by it without evidence. */
  readonly loses?: boolean;
  readonly isOfStore?: boolean;
  readonly happen: (world: World) => void;
}

export type HappeningKind =
  | 'connections open'
  | 'connections close'
  | 'viewer comes'
  | 'viewer leaves'
  | 'viewer flaps'
  | 'viewers give way'
  | 'updates are watched'
  | 'room is watched'
  | 'server starts'
  | 'server crashes'
  | 'server restarts'
  | 'server is gone'
  | 'server hangs'
  | 'orphan posts'
  | 'partition'
  | 'partition heals'
  | 'service crashes'
  | 'service shuts down'
  | 'stranger posts'
  | 'stranger asks'
  | 'garbled post'
  | 'store lies'
  | 'store stalls'
  | 'defect'
  | 'long outage';

/** All that can happen in a world, beside what the network does. */
export const happeningKinds: Readonly<Record<HappeningKind, Kind>> = {
  'connections open': { weight: 30, happen: (world) => traffic(world, 'open') },
  'connections close': { weight: 20, happen: (world) => traffic(world, 'close') },
  'viewer comes': { weight: 8, happen: (world) => world.admit() },
  'viewer leaves': { weight: 6, happen: (world) => world.dismiss() },
  'viewer flaps': { weight: 3, happen: flap },
  'viewers give way': { weight: 3, happen: giveWay },
  'updates are watched': { weight: 1, happen: watchUpdates },
  'room is watched': { weight: 1, happen: watchRoom },
  'server starts': { weight: 6, happen: (world) => start(pickHost(world, isDown)) },
  'server crashes': {
    weight: 3,
    isFault: true,
    happen: (world) => pickHost(world, isRunning)?.crash(),
  },
  'server restarts': { weight: 4, isFault: true, happen: restart },
  'server is gone': { weight: 1, isFault: true, happen: leave },
  'server hangs': { weight: 3, isFault: true, happen: hang },
  'orphan posts': { weight: 2, isFault: true, happen: orphan },
  partition: { weight: 3, isFault: true, happen: cut },
  'partition heals': { weight: 3, happen: (world) => world.heal(world.random.pick(world.hosts)) },
  'service crashes': { weight: 1.5, isFault: true, happen: (world) => world.crashService() },
  'service shuts down': { weight: 1, isFault: true, happen: (world) => world.shutDownService() },
  'stranger posts': { weight: 2, isFault: true, happen: strangerPosts },
  'stranger asks': { weight: 2, isFault: true, happen: strangerAsks },
  'garbled post': { weight: 1, isFault: true, happen: garble },
  'store lies': { weight: 3, isFault: true, isOfStore: true, happen: lie },
  'store stalls': { weight: 2, isFault: true, isOfStore: true, happen: stall },
  defect: { weight: 0.5, isFault: true, happen: (world) => world.breakActor() },
  'long outage': { weight: 0.03, isFault: true, happen: endure },
};

const isRunning = (host: Host) => host.isUp;
const isDown = (host: Host) => host.process === undefined && !host.isGone;

function pickHost(world: World, isFit: (host: Host) => boolean): Host | undefined {
  return world.random.pick(world.hosts.filter(isFit));
}

function start(host: Host | undefined): void {
  host?.start();
}

function traffic(world: World, what: 'open' | 'close'): void {
  const host = pickHost(world, isRunning);
  const times = world.random.chance(0.2) ? world.random.between(2, 6) : 1;
  for (let i = 0; i < times; i += 1) host?.[what](world.random.pick(world.plan.rooms) ?? '');
}

/** Somebody leaves and comes back while posts are on their way. */
function flap(world: World): void {
  if (world.random.chance(0.5)) traffic(world, 'open');
  const times = world.random.between(1, 3);
  let atMs = 0;
  for (let i = 0; i < times; i += 1) {
    world.later(atMs, () => world.isCalm || world.dismiss());
    atMs += world.random.between(0, world.random.pick([1, 40]));
    world.later(atMs, () => world.isCalm || world.admit());
    atMs += world.random.between(0, 40);
  }
}

/** All viewers leave, and a moment after the linger time another one comes. */
function giveWay(world: World): void {
  const { service, random, plan } = world;
  while (service && service.watchers.length > 0) world.dismiss();
  const lateMs = random.pick([0, 0.5, 1, 5, 300]);
  world.later(plan.timing.lingerMs + lateMs, () => world.isCalm || world.admit());
}

function watchUpdates(world: World): void {
  const { service } = world;
  if (!service?.isServing) return;
  const send = (type: 'updates.watched' | 'updates.unwatched') => {
    if (service.isServing) service.actor.send({ type });
  };
  send('updates.watched');
  world.later(world.random.between(0, 5000), () => send('updates.unwatched'));
}

function watchRoom(world: World): void {
  const { service } = world;
  if (!service?.isServing) return;
  const room = world.random.pick(world.plan.rooms) ?? '';
  const send = (type: 'room.watched' | 'room.unwatched') => {
    if (service.isServing) service.actor.send({ type, room });
  };
  send('room.watched');
  world.later(world.random.between(0, 5000), () => send('room.unwatched'));
}

function restart(world: World): void {
  const host = pickHost(world, isRunning);
  if (!host) return;
  host.crash();
  world.later(world.random.pick([0, 1, 20, 500, 3000]), () => {
    if (isDown(host)) start(host);
  });
}

function leave(world: World): void {
  const host = pickHost(world, isRunning);
  host?.crash();
  if (host) host.isGone = true;
}

function hang(world: World): void {
  const host = pickHost(world, isRunning);
  if (!host) return;
  host.hang();
  world.later(world.random.between(100, 20_000), () => host.isHung && host.resume());
}

/** A process goes on posting under its URL although another has taken its place. */
function orphan(world: World): void {
  const host = pickHost(world, ({ process, isUp }) => isUp && process?.isActive === true);
  const url = host?.process?.eventsUrl;
  if (!host || url === undefined) return;
  host.crash();
  host.start();
  const body = JSON.stringify({ room: world.plan.rooms[0], add: world.random.pick([1, -1]) });
  const times = world.random.between(1, 12);
  for (let i = 1; i <= times; i += 1) {
    world.later(i * world.random.between(50, 1500), () => {
      if (world.isCalm) return;
      host.post(url, body);
      host.disturb();
    });
  }
}

function cut(world: World): void {
  const host = pickHost(world, () => true);
  if (!host) return;
  const direction = world.random.pick(['toServer', 'toService', 'both'] as const);
  if (direction !== 'toService') host.cuts.add('toServer');
  if (direction !== 'toServer') host.cuts.add('toService');
  host.disturb();
  world.later(world.random.between(50, 15_000), () => world.heal(host));
}

/** Anybody, at the address of a server or not, posts what this run never made. */
function strangerPosts(world: World): void {
  const { service, random } = world;
  const host = pickHost(world, () => true);
  const address = random.pick([
    host?.plan.address ?? '',
    '10.0.0.77',
    '192.0.2.1',
    '169.254.169.254',
  ]);
  const token = random.pick(['', 'WyIxMC4wLjAuMSIsMSwwXQ.AAAAAAAAAAAAAAAAAAAAAA', '__proto__']);
  const body = '{"room":"notes","add":1000}';
  if (!service) return;
  const post = () => void service.takePost(address, service.urlOf(token), body);
  world.oracle.aroundStranger(service, `a post without a token from ${address}`, post);
}

/** Anybody asks what only a starting server asks. */
function strangerAsks(world: World): void {
  const { random, service } = world;
  const host = pickHost(world, () => true);
  const address = random.pick([host?.plan.address ?? '', '10.0.0.78', '192.0.2.1']);
  const port = random.pick([undefined, 8001, 8002, 9999]);
  const asker = { address, isForwarded: random.chance(0.2), ...(port !== undefined && { port }) };
  if (!service) return;
  const ask = () => service.answerStartup(asker, () => {});
  world.oracle.aroundStranger(service, `a start-up query from ${address}`, ask);
}

/** A proxy spoils the body of a post: that delta is lost. */
function garble(world: World): void {
  const host = pickHost(world, ({ process, isUp }) => isUp && process?.isActive === true);
  const { process } = host ?? {};
  const room = world.plan.rooms[0];
  if (!host || !process || room === undefined) return;
  process.rooms.set(room, (process.rooms.get(room) ?? 0) + 1);
  const bodies = ['', '{', 'null', '{"room":1}', '{"room":"notes","add":1e9}', '[{"add":1}]'];
  host.post(process.eventsUrl, world.random.pick(bodies) ?? '');
  world.note(() => `${host.id} opens "${room}"; its post is spoilt`);
  host.disturb();
}

function lie(world: World): void {
  const foreign = ['10.0.0.66:8001', '10.0.0.67:8001'] as ServerId[];
  const about = world.random.pick([...world.hosts.map(({ id }) => id), ...foreign]);
  if (about === undefined) return;
  world.store.lies.add(about);
  for (const host of world.hosts) host.disturb();
  world.later(world.random.between(1000, 30_000), () => world.store.lies.delete(about));
}

function stall(world: World): void {
  world.store.isStalled = true;
  world.later(world.random.between(1000, 30_000), () => {
    world.store.isStalled = false;
  });
}

/** Servers that nobody hears of for so long are let go. */
function endure(world: World): void {
  const host = pickHost(world, isRunning);
  host?.crash();
  world.admit();
  world.advance(11 * 60_000);
}
