import type { Host } from '../pubSubHost.js';
import type { Pause } from './instanceClock.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { Site } from './site.js';

interface Kind {
  /** How often it happens beside the others. */
  readonly weight: number;
  /** Whether a world can be without it. */
  readonly isFault?: boolean;
  /** Whether it spoils counts for longer than a change of leader does. */
  readonly isRough?: boolean;
  /** Whether Redis may forget what it was told. */
  readonly isLossOfKeys?: boolean;
  readonly happen: (world: InstancesWorld) => void;
}

export type InstancesHappening =
  | 'connections open'
  | 'connections close'
  | 'viewer comes'
  | 'viewer leaves'
  | 'viewer moves'
  | 'all viewers leave'
  | 'room is watched'
  | 'server starts'
  | 'server crashes'
  | 'server is cut off'
  | 'instance is killed'
  | 'instance shuts down'
  | 'instances are replaced'
  | 'instance pauses'
  | 'instance is cut off'
  | 'leader loses the servers'
  | 'wall clock jumps'
  | 'redis is away'
  | 'redis loses keys'
  | 'redis loses its tail'
  | 'redis evicts a key'
  | 'clock of redis jumps';

/** All that can happen in a world of several instances, beside what links do. */
export const instancesHappenings: Readonly<Record<InstancesHappening, Kind>> = {
  'connections open': { weight: 30, happen: (world) => traffic(world, 'open') },
  'connections close': { weight: 20, happen: (world) => traffic(world, 'close') },
  'viewer comes': { weight: 10, happen: ({ people }) => people.come() },
  'viewer leaves': { weight: 5, happen: ({ people }) => people.leave() },
  'viewer moves': { weight: 5, happen: ({ people }) => people.move() },
  'all viewers leave': { weight: 2, happen: leaveAll },
  'room is watched': { weight: 1, happen: watchRoom },
  'server starts': { weight: 4, happen: (world) => pickHost(world, isDown)?.start() },
  'server crashes': { weight: 3, isFault: true, isRough: true, happen: crashHost },
  'server is cut off': { weight: 3, isFault: true, isRough: true, happen: cutHost },
  'instance is killed': { weight: 4, isFault: true, happen: kill },
  'instance shuts down': { weight: 3, isFault: true, happen: shutDown },
  'instances are replaced': { weight: 1, isFault: true, happen: replaceAll },
  'instance pauses': { weight: 4, isFault: true, happen: pauseAny },
  'instance is cut off': { weight: 4, isFault: true, happen: cutOff },
  'leader loses the servers': { weight: 2, isFault: true, isRough: true, happen: isolateLeader },
  'wall clock jumps': { weight: 3, isFault: true, happen: jump },
  'redis is away': { weight: 2, isFault: true, happen: loseRedis },
  'redis loses keys': {
    weight: 1,
    isFault: true,
    isLossOfKeys: true,
    happen: ({ redis }) => redis.loseKeys(),
  },
  'redis loses its tail': {
    weight: 1,
    isFault: true,
    isLossOfKeys: true,
    happen: ({ redis }) => redis.loseTail(),
  },
  'redis evicts a key': {
    weight: 1,
    isFault: true,
    isLossOfKeys: true,
    happen: ({ redis }) => redis.evict(),
  },
  'clock of redis jumps': { weight: 1, isFault: true, happen: jumpRedis },
};

const isDown = (host: Host) => host.process === undefined;

function pickHost(world: InstancesWorld, isFit: (host: Host) => boolean): Host | undefined {
  return world.random.pick(world.hosts.filter(isFit));
}

/** The instance that leads and runs. One that is paused may still take itself for the leader. */
export function leadingSite({ sites }: InstancesWorld): Site | undefined {
  return sites.find(({ isRunning, process }) => isRunning && process?.isLeading);
}

/** The leader as often as the others together: it is the interesting one. */
function pickSite(world: InstancesWorld): Site | undefined {
  const running = world.sites.filter(({ isRunning }) => isRunning);
  const leader = leadingSite(world);
  return leader && world.random.chance(0.5) ? leader : world.random.pick(running);
}

export function traffic(world: InstancesWorld, what: 'open' | 'close'): void {
  const host = pickHost(world, ({ isUp }) => isUp);
  const times = world.random.chance(0.2) ? world.random.between(2, 6) : 1;
  for (let i = 0; i < times; i += 1) {
    const room = world.random.pick(world.plan.rooms) ?? '';
    host?.[what](room);
    world.noteChange(room);
  }
}

export function leaveAll({ people }: InstancesWorld): void {
  for (const person of [...people.present]) people.leave(person);
}

function watchRoom(world: InstancesWorld): void {
  const { process } = world.random.pick(world.sites) ?? {};
  const room = world.random.pick(world.plan.rooms) ?? '';
  process?.clock.run(() => process.watchRoom(room));
  world.later(world.random.between(0, 5000), () =>
    process?.clock.run(() => process.unwatchRoom(room)),
  );
}

function crashHost(world: InstancesWorld): void {
  const host = pickHost(world, ({ isUp }) => isUp);
  host?.crash();
  world.disturb(() => `${host?.id} crashes`);
}

function cutHost(world: InstancesWorld): void {
  const host = world.random.pick(world.hosts);
  if (!host) return;
  const end = world.begin(`${host.id} cut off`);
  for (const direction of world.random.pick([
    ['toServer'],
    ['toService'],
    ['toServer', 'toService'],
  ] as const) ?? [])
    host.cuts.add(direction);
  world.faultLater(world.random.between(500, 15_000), () => {
    host.cuts.clear();
    host.disturb();
    end();
  });
}

export function restartLater(world: InstancesWorld, site: Site): void {
  world.faultLater(world.random.pick([50, 1000, 4000, 20_000]), () => site.start());
}

function kill(world: InstancesWorld): void {
  const site = pickSite(world);
  if (!site) return;
  site.kill();
  restartLater(world, site);
}

function shutDown(world: InstancesWorld): void {
  const site = pickSite(world);
  if (!site) return;
  site.shutDown();
  world.whenEnded(site, () => restartLater(world, site));
}

/** One by one: the next when the one before is ready again. */
function replaceAll(world: InstancesWorld): void {
  if (world.isReplacing) return;
  world.countCheck('a rolling replacement');
  world.isReplacing = true;
  const next = ([site, ...rest]: readonly Site[]): void => {
    if (!site || world.isCalm) {
      world.isReplacing = false;
      return;
    }
    const ready = () => world.whenReady(site, () => next(rest));
    if (!site.isRunning) {
      next(rest);
      return;
    }
    site.shutDown();
    world.whenEnded(site, () =>
      world.later(200, () => {
        site.start();
        ready();
      }),
    );
  };
  next(world.sites);
}

function pauseAny(world: InstancesWorld): void {
  const site = pickSite(world);
  if (!site) return;
  const kinds = ['stopped', 'stopped', 'suspended', 'frozen'] as const;
  // Only a resync heals a request that went out after both clocks had stood still.
  const kind = world.random.pick(world.plan.isRough ? kinds : kinds.slice(0, 3)) ?? 'stopped';
  if (kind === 'frozen') world.countFault('both clocks stand still');
  pause(world, site, kind, world.random.pick([300, 1500, 2500, 4000, 6000, 12_000]));
}

export function pause(world: InstancesWorld, site: Site, kind: Pause, ms: number): void {
  const { process } = site;
  const end = world.begin(`${site.name} ${kind}`);
  site.pause(kind);
  world.faultLater(ms, () => {
    if (site.process === process) site.wake();
    end();
  });
}

/** From others, from Redis, or from all, in one direction or both. */
function cutOff(world: InstancesWorld): void {
  const site = pickSite(world);
  if (!site) return;
  const others = world.sites.filter((each) => each !== site).map(({ name }) => name);
  const all = ['redis', ...others];
  const ends =
    world.random.pick([['redis'], others, all, [world.random.pick(all) ?? 'redis']]) ?? [];
  const direction = world.random.pick(['to', 'from', 'both']);
  const cuts: [string, string][] = [];
  for (const other of ends) {
    if (direction !== 'from') cuts.push([site.name, other]);
    if (direction !== 'to') cuts.push([other, site.name]);
  }
  const end = world.begin(`${site.name} cut off`);
  for (const [from, to] of cuts) world.links.cut(from, to);
  world.faultLater(world.random.pick([500, 2500, 5000, 15_000]), () => {
    for (const [from, to] of cuts) world.links.heal(from, to);
    end();
  });
}

function isolateLeader(world: InstancesWorld): void {
  const site = leadingSite(world);
  if (!site) return;
  const end = world.begin(`${site.name} cut off from the servers`);
  world.links.cut(site.name, 'servers');
  if (world.random.chance(0.5)) world.links.cut('servers', site.name);
  world.faultLater(world.random.pick([3000, 20_000]), () => {
    world.links.heal(site.name, 'servers');
    world.links.heal('servers', site.name);
    for (const host of world.hosts) host.disturb();
    end();
  });
}

function jump(world: InstancesWorld): void {
  const site = pickSite(world);
  const ms = world.random.pick([-3_600_000, -2500, 2500, 5000, 3_600_000]);
  world.disturb(() => `the wall clock of ${site?.name} jumps by ${ms} ms`);
  site?.process?.clock.jump(ms);
}

function loseRedis(world: InstancesWorld): void {
  const end = world.begin('redis away');
  world.redis.goAway();
  world.faultLater(world.random.pick([500, 1500, 3000, 10_000]), () => {
    world.redis.comeBack();
    if (world.plan.weights['redis loses keys'] && world.random.chance(0.3)) world.redis.loseKeys();
    end();
  });
}

function jumpRedis(world: InstancesWorld): void {
  world.redis.jump(world.random.pick([-3_600_000, -5000, 5000, 3_600_000]));
}
