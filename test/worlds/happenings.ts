import type { ServerId } from '../../machines/ports.js';
import type { Host } from './pubSubHost.js';
import { strangerAsks, strangerPosts } from './strangers.js';
import type { World } from './world.js';

interface Kind {
  /** How often it happens beside the others. */
  readonly weight: number;
  /** Whether a world can be without it. */
  readonly isFault?: boolean;
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
  'viewer comes': { weight: 8, happen: (world) => world.viewers.admit() },
  'viewer leaves': { weight: 6, happen: (world) => world.viewers.dismiss() },
  'viewer flaps': { weight: 3, happen: flap },
  'viewers give way': { weight: 3, happen: giveWay },
  'updates are watched': { weight: 1, happen: watchUpdates },
  'room is watched': { weight: 1, happen: watchRoom },
  'server starts': { weight: 6, happen: start },
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

/** Faults that are no happenings of their own. */
export const otherFaults = [
  'left active',
  'partition of several',
  'crowd asks',
  'viewer stalls',
  'address reused',
  'room forgotten',
  'posts lost',
  'intrusion',
];

const isRunning = (host: Host) => host.isUp;
const isDown = (host: Host) => host.process === undefined && !host.isGone;

function pickHost(world: World, isFit: (host: Host) => boolean): Host | undefined {
  return world.random.pick(world.hosts.filter(isFit));
}

/** Now and then at the address of one that is gone for good: another server, with nothing of the old one. */
function start(world: World): void {
  const gone = world.hosts.filter(({ isGone }) => isGone);
  const left = gone.length > 0 && world.extras.chance(0.5) ? world.extras.pick(gone) : undefined;
  if (!left) {
    pickHost(world, isDown)?.start();
    return;
  }
  world.countFault('address reused');
  left.isGone = false;
  left.start();
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
    world.later(atMs, () => world.isCalm || world.viewers.dismiss());
    atMs += world.random.between(0, world.random.pick([1, 40]));
    world.later(atMs, () => world.isCalm || world.viewers.admit());
    atMs += world.random.between(0, 40);
  }
}

/** All viewers leave, and a moment after the linger time another one comes. */
function giveWay(world: World): void {
  const { service, random, plan } = world;
  while (service && service.watchers.length > 0) world.viewers.dismiss();
  const lateMs = random.pick([0, 0.5, 1, 5, 300]);
  world.later(plan.timing.lingerMs + lateMs, () => world.isCalm || world.viewers.admit());
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

/** Rooms are watched in worlds of their own. Here only the draws are left, so that seeds keep their worlds. */
function watchRoom(world: World): void {
  if (!world.service?.isServing) return;
  world.random.pick(world.plan.rooms);
  world.later(world.random.between(0, 5000), () => {});
}

function restart(world: World): void {
  const host = pickHost(world, isRunning);
  if (!host) return;
  host.crash();
  world.later(world.random.pick([0, 1, 20, 500, 3000]), () => {
    if (isDown(host)) host.start();
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

/** Cuts off one server, or several of them in one instant, which are connected again in one. */
function cut(world: World): void {
  const host = pickHost(world, () => true);
  if (!host) return;
  const direction = world.random.pick(['toServer', 'toService', 'both'] as const);
  const hosts = [host, ...othersToCut(world, host)];
  for (const each of hosts) {
    if (direction !== 'toService') each.cuts.add('toServer');
    if (direction !== 'toServer') each.cuts.add('toService');
    each.disturb();
  }
  world.later(world.random.between(50, 15_000), () => {
    for (const each of hosts) world.heal(each);
  });
}

function othersToCut({ aside, hosts, countFault }: World, host: Host): Host[] {
  if (!aside.chance(0.3)) return [];
  const others = hosts.filter((each) => each !== host && aside.chance(0.6));
  if (others.length > 0) countFault('partition of several');
  return others;
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
  world.viewers.admit();
  world.advance(11 * 60_000);
}
