import type { ServerId, Timing } from '../../machines/ports.js';
import type { TallyLimits } from '../../machines/tally.js';
import { type HappeningKind, happeningKinds } from './happenings.js';
import type { Random } from './random.js';

/** A place where a pub-sub server can run. */
export interface HostPlan {
  readonly id: ServerId;
  readonly address: string;
  readonly isConfigured: boolean;
  readonly isUpAtFirst: boolean;
  /** Whether it asks with `?port=` when it starts. */
  readonly givesPort: boolean;
}

/** How a world ends: with somebody looking, with nobody, or with the end of the service. */
export const endings = ['watched', 'silent', 'stopped'] as const;

export type Ending = (typeof endings)[number];

/** What the network of a world does to what it carries; the chances are those of one parcel. */
export interface NetworkPlan {
  readonly baseMs: number;
  readonly spreadMs: number;
  readonly dropChance: number;
  readonly resetChance: number;
  readonly duplicateChance: number;
  readonly lateChance: number;
  /** How late something can be, by what it is. */
  readonly maxLateMs: Readonly<
    Record<'request' | 'answer' | 'delta' | 'query' | 'startup', number>
  >;
  /** Whether what a partition cuts off arrives when it is healed. */
  readonly holdsPartitioned: boolean;
}

/** What kind of viewers a world has; the chances are those of each that comes. */
export interface ViewersPlan {
  /** Whether it is one that left, and resumes. */
  readonly returnChance: number;
  /** Whether it takes the stream of whole maps. */
  readonly wholeMapChance: number;
  /** Whether it reads nothing for a while. */
  readonly stallChance: number;
}

/** All that a seed decides before a world begins. */
export interface Plan {
  /** Whether deltas may be lost on the way; if not, counts must come right without any resync. */
  readonly isLossy: boolean;
  readonly timing: Timing;
  readonly hosts: readonly HostPlan[];
  readonly rooms: readonly string[];
  readonly hasStore: boolean;
  /** Whether start-up queries come through a proxy, and can be anybody's. */
  readonly isProxied: boolean;
  readonly network: NetworkPlan;
  readonly happenings: number;
  readonly weights: Readonly<Partial<Record<HappeningKind, number>>>;
  /** How likely it is that the next thing happens at once, soon, or much later. */
  readonly gaps: Readonly<Record<'atOnce' | 'soon' | 'later', number>>;
  readonly ending: Ending;
  /** How much is remembered of one server; `isLimited`: it may hold more. */
  readonly limits: TallyLimits;
  readonly isLimited: boolean;
  readonly viewers: ViewersPlan;
  /** How likely it is after each happening that a room is forgotten whose only user reloads. */
  readonly forgetChance: number;
  /** And that the posts of a server do not arrive for a while. */
  readonly muteChance: number;
  /** And that somebody at the address of a server takes a start-up token in its name, and posts. */
  readonly intrudeChance: number;
}

export const pubSubPort = 8001;
/** Names that are easily mistaken for something else. */
export const roomNames = ['notes', 'a%20b', 'constructor', '', 'a/b=c'];
/** Longer than any world lasts, in milliseconds. */
export const never = 24 * 3_600_000;

/** Draws a world: how large it is, which faults exist in it, and how often they come. */
export function drawPlan(random: Random, aside: Random, further: Random, intrusions: Random): Plan {
  const isLarge = random.chance(0.01);
  const isLossy = !isLarge && random.chance(0.5);
  const timing = drawTiming(random, isLossy);
  const hasStore = random.chance(0.4);
  const ends: readonly [Ending, ...Ending[]] = [
    'watched',
    'watched',
    'watched',
    'silent',
    'silent',
    'stopped',
  ];
  return {
    isLossy,
    timing: isLarge ? { ...timing, lingerMs: 0 } : timing,
    hosts: isLarge ? drawFleet(random) : drawHosts(random),
    rooms: roomNames.slice(0, random.between(1, roomNames.length)),
    hasStore,
    isProxied: random.chance(0.05),
    network: drawNetwork(random, isLossy, timing.requestTimeoutMs),
    happenings: isLarge ? 12 : random.between(10, 70),
    weights: isLarge ? fleetWeights : drawWeights(random, hasStore),
    gaps: { atOnce: random.between(1, 6), soon: random.between(1, 6), later: random.between(0, 2) },
    ending: random.pick(ends),
    ...drawLimits(aside),
    viewers: drawViewers(aside),
    forgetChance: further.chance(0.3) ? further.pick([0.1, 0.4]) : 0,
    muteChance: further.chance(0.3) && isLossy ? further.pick([0.03, 0.15]) : 0,
    intrudeChance: intrusions.chance(0.3) ? intrusions.pick([0.05, 0.3]) : 0,
  };
}

/** Where no delta is lost there is no resync to heal what evidence and confirmations should. */
function drawTiming(random: Random, isLossy: boolean): Timing {
  return {
    lingerMs: random.pick([0, 500, 5000]),
    requestTimeoutMs: random.pick([300, 1000, 2000]),
    probeIntervalMs: random.pick([1000, 3000, 5000]),
    resyncIntervalMs: isLossy ? random.pick([5000, 10_000, 30_000]) : never,
    room: { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 },
  };
}

function drawHosts(random: Random): HostPlan[] {
  const size = random.between(1, 4);
  const isShared = random.chance(0.2);
  const givesPort = random.chance(0.5);
  return Array.from({ length: size }, (_, i) => {
    const address = isShared ? '10.0.0.1' : `10.0.0.${i + 1}`;
    const port = isShared ? pubSubPort + i : pubSubPort;
    const isConfigured = random.chance(0.7);
    const id = `${address}:${port}` as ServerId;
    return { id, address, isConfigured, isUpAtFirst: random.chance(0.8), givesPort };
  });
}

/** Mostly more than any server holds. */
function drawLimits(aside: Random): Pick<Plan, 'limits' | 'isLimited'> {
  const isLimited = aside.chance(0.15);
  const limits = { maxRooms: 1000, maxNamesLength: 100_000 };
  if (!isLimited) return { isLimited, limits };
  const small = aside.chance(0.5)
    ? { maxRooms: aside.between(1, 3) }
    : { maxNamesLength: aside.between(5, 20) };
  return { isLimited, limits: { ...limits, ...small } };
}

function drawViewers(aside: Random): ViewersPlan {
  const chanceOf = (max: number) => (aside.chance(0.5) ? max : 0);
  return {
    returnChance: chanceOf(0.7),
    wholeMapChance: chanceOf(0.4),
    stallChance: chanceOf(0.4),
  };
}

/** So many that they are told one slice after the other, and a viewer can come in between. */
function drawFleet(random: Random): HostPlan[] {
  return Array.from({ length: random.between(55, 75) }, (_, i) => {
    const address = `10.0.0.${i + 1}`;
    const id = `${address}:${pubSubPort}` as ServerId;
    return { id, address, isConfigured: true, isUpAtFirst: true, givesPort: true };
  });
}

const fleetWeights = {
  'viewer comes': 1,
  'viewers give way': 6,
  'connections open': 4,
  'server crashes': 1,
  'server restarts': 1,
  'server hangs': 1,
  partition: 2,
};

function drawNetwork(random: Random, isLossy: boolean, timeoutMs: number): NetworkPlan {
  const chanceOf = (max: number) => (random.chance(0.5) ? max * random.pick([0.1, 0.4, 1]) : 0);
  return {
    baseMs: random.between(0, 5),
    // Requests that are not late are in time.
    spreadMs: random.pick([0, 5, timeoutMs / 20, timeoutMs / 4]),
    dropChance: chanceOf(0.2),
    resetChance: chanceOf(0.2),
    duplicateChance: isLossy ? chanceOf(0.1) : 0,
    lateChance: chanceOf(0.2),
    maxLateMs: drawLateness(random, isLossy, timeoutMs),
    holdsPartitioned: !isLossy || random.chance(0.5),
  };
}

function drawLateness(
  random: Random,
  isLossy: boolean,
  timeoutMs: number,
): NetworkPlan['maxLateMs'] {
  const anyMs = random.pick([1000, 5000, 20_000]);
  const maxLateMs = { request: anyMs, answer: anyMs, delta: anyMs, query: anyMs, startup: anyMs };
  // A request that is later than that can undo in silence what its confirmation confirmed.
  return isLossy ? maxLateMs : { ...maxLateMs, request: 1.9 * timeoutMs };
}

function drawWeights(random: Random, hasStore: boolean): Plan['weights'] {
  const weights: Partial<Record<HappeningKind, number>> = {};
  for (const [kind, { weight, ...needs }] of Object.entries(happeningKinds)) {
    const isPossible = hasStore || !needs.isOfStore;
    const isThere = !needs.isFault || random.chance(0.4);
    if (isPossible && isThere) weights[kind as HappeningKind] = weight * random.pick([0.3, 1, 3]);
  }
  return weights;
}
