import type { RoomTiming } from '../../../machines/ports.js';
import type { Random } from '../random.js';
import type { Holder, RoomWorld } from './roomWorld.js';

/** The times that the machine keeps. */
export const roomTiming: RoomTiming = { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 };
/** The deadline of what is asked of a server. */
export const requestMs = 2000;

export type RoomHappeningKind =
  | 'edit'
  | 'burst'
  | 'room leaves memory'
  | 'server crashes'
  | 'server starts'
  | 'server hangs'
  | 'server is cut off'
  | 'server cannot be read'
  | 'channel is lost'
  | 'channel is back'
  | 'channel may have missed something'
  | 'store lies'
  | 'store stalls'
  | 'document is lost'
  | 'nobody watches'
  | 'somebody watches';

interface Kind {
  readonly weight: number;
  readonly isFault?: boolean;
  readonly happen: (world: RoomWorld) => void;
}

/** All that a seed decides before the world of a room begins. */
export interface RoomPlan {
  readonly servers: number;
  readonly hasChannel: boolean;
  /** Whether the channel is what servers post: it can be missing for a while. */
  readonly isPosted: boolean;
  readonly endsWithChannel: boolean;
  /** Whether nothing that any server answers can be read at the end. */
  readonly endsGarbled: boolean;
  readonly spreadMs: number;
  readonly loseChance: number;
  readonly happenings: number;
  readonly weights: Readonly<Partial<Record<RoomHappeningKind, number>>>;
  readonly gaps: Readonly<Record<'atOnce' | 'soon' | 'later', number>>;
}

export function drawRoomPlan(random: Random): RoomPlan {
  const weights: Partial<Record<RoomHappeningKind, number>> = {};
  for (const [kind, { weight, isFault }] of Object.entries(roomHappenings))
    if (!isFault || random.chance(0.5))
      weights[kind as RoomHappeningKind] = weight * random.pick([0.3, 1, 3]);
  return {
    servers: random.between(1, 3),
    hasChannel: random.chance(0.85),
    isPosted: random.chance(0.5),
    endsWithChannel: random.chance(0.7),
    endsGarbled: random.chance(0.1),
    spreadMs: random.pick([0, 5, 200]),
    loseChance: random.pick([0, 0, 0.1, 0.5]),
    happenings: random.between(5, 50),
    weights,
    gaps: { atOnce: random.between(1, 6), soon: random.between(1, 6), later: random.between(0, 3) },
  };
}

/** What the channel does of itself. */
export const lostUpdate = 'lost update';

/** All that can happen to a room. */
export const roomHappenings: Readonly<Record<RoomHappeningKind, Kind>> = {
  edit: { weight: 12, happen: (world) => world.edit(pick(world)) },
  burst: { weight: 4, happen: burst },
  'room leaves memory': { weight: 3, happen: forget },
  'server crashes': { weight: 1, isFault: true, happen: crash },
  'server starts': { weight: 3, happen: start },
  'server hangs': { weight: 2, isFault: true, happen: hang },
  'server is cut off': { weight: 1, isFault: true, happen: cutOff },
  'server cannot be read': { weight: 1, isFault: true, happen: garble },
  'channel is lost': { weight: 2, isFault: true, happen: (world) => world.setChannel(false) },
  'channel is back': { weight: 3, happen: (world) => world.setChannel(true) },
  'channel may have missed something': { weight: 2, happen: (world) => world.subscribeAgain() },
  'store lies': { weight: 2, isFault: true, happen: lie },
  'store stalls': { weight: 1, isFault: true, happen: stall },
  'document is lost': { weight: 2, isFault: true, happen: (world) => world.loseDocument() },
  'nobody watches': { weight: 1, happen: (world) => world.unwatch() },
  'somebody watches': { weight: 3, happen: (world) => world.watch() },
};

function pick(world: RoomWorld): Holder {
  return world.random.pick(world.holders as [Holder, ...Holder[]]);
}

function burst(world: RoomWorld): void {
  const times = world.random.between(2, 8);
  for (let i = 0; i < times; i += 1)
    world.later(world.random.between(0, 300), () => world.edit(pick(world)));
}

/** Its last editor leaves: the server forgets the room. */
function forget(world: RoomWorld): void {
  for (const holder of world.random.chance(0.5) ? world.holders : [pick(world)])
    if (!holder.isHung) holder.updates = undefined;
}

/** The store is not told. */
function crash(world: RoomWorld): void {
  pick(world).isUp = false;
}

function start(world: RoomWorld): void {
  const holder = pick(world);
  if (holder.isUp) return;
  holder.isUp = true;
  holder.updates = undefined;
}

function hang(world: RoomWorld): void {
  const holder = pick(world);
  holder.isHung = true;
  world.later(world.random.between(100, 9000), () => {
    holder.isHung = false;
  });
}

function cutOff(world: RoomWorld): void {
  const holder = pick(world);
  holder.isLinked = false;
  world.later(world.random.between(100, 9000), () => {
    holder.isLinked = true;
  });
}

function garble(world: RoomWorld): void {
  for (const holder of world.random.chance(0.5) ? world.holders : [pick(world)]) {
    holder.isGarbled = true;
    world.later(world.random.between(100, 20_000), () => {
      holder.isGarbled = world.isCalm && world.plan.endsGarbled;
    });
  }
}

function lie(world: RoomWorld): void {
  world.lie = pick(world).server;
}

function stall(world: RoomWorld): void {
  world.isStoreStalled = true;
  world.later(world.random.between(100, 9000), () => {
    world.isStoreStalled = false;
  });
}
