import type { ServerId, Timing } from '../../../machines/ports.js';
import type { TallyLimits } from '../../../machines/tally.js';
import {
  type Ending,
  type HostPlan,
  type NetworkPlan,
  never,
  pubSubPort,
  roomNames,
} from '../plan.js';
import type { Random } from '../random.js';
import { type InstancesHappening, instancesHappenings } from './instancesHappenings.js';

/** What links do to a message; the chances are those of one. */
export interface LinksPlan {
  readonly baseMs: number;
  readonly spreadMs: number;
  /** How long a connection to a server can take. */
  readonly connectMs: number;
  readonly dropChance: number;
  readonly refuseChance: number;
  readonly lateChance: number;
  readonly maxLateMs: number;
}

/** All that a seed decides before a world of several instances begins. */
export interface InstancesPlan {
  /** How many instances there are. */
  readonly instances: number;
  /** Whether the pub-sub servers and their network have faults of their own. Without, counts are judged at each step. */
  readonly isRough: boolean;
  /** Whether requests to servers may arrive late, by less than two timeouts. */
  readonly isLate: boolean;
  readonly isLossy: boolean;
  readonly isProxied: boolean;
  /** Whether servers reach the balancer only, which passes a post on to any instance. */
  readonly isBalanced: boolean;
  readonly timing: Timing;
  readonly limits: TallyLimits;
  readonly hosts: readonly HostPlan[];
  readonly rooms: readonly string[];
  readonly network: NetworkPlan;
  readonly links: LinksPlan;
  readonly happenings: number;
  readonly weights: Readonly<Partial<Record<InstancesHappening, number>>>;
  readonly gaps: Readonly<Record<'atOnce' | 'soon' | 'later', number>>;
  readonly ending: Ending;
}

/** Of the lease, in milliseconds: the defaults of the configuration. */
export const leaseTimes = { leaseMs: 3000, beatMs: 1000 };

export function drawInstancesPlan(random: Random): InstancesPlan {
  const isRough = random.chance(0.3);
  const isLate = !isRough && random.chance(0.3);
  const losesKeys = random.chance(0.4);
  const timing = drawTiming(random, isRough);
  return {
    instances: random.between(2, 4),
    isRough,
    isLate,
    isLossy: isRough,
    isProxied: false,
    isBalanced: isRough && random.chance(0.5),
    timing,
    limits: { maxRooms: 1000, maxNamesLength: 100_000 },
    hosts: drawHosts(random, isRough || losesKeys),
    rooms: roomNames.slice(0, random.between(1, roomNames.length)),
    network: drawNetwork(random, { isRough, isLate }, timing.requestTimeoutMs),
    links: drawLinks(random),
    happenings: random.between(10, 50),
    weights: drawWeights(random, isRough, losesKeys),
    gaps: { atOnce: random.between(1, 4), soon: random.between(1, 6), later: random.between(1, 3) },
    ending: random.pick(['watched', 'watched', 'silent', 'stopped']),
  };
}

/** Lingering lasts longer than a lease and a reconnection: else the configuration is refused. */
function drawTiming(random: Random, isRough: boolean): Timing {
  return {
    lingerMs: random.pick([8000, 15_000]),
    requestTimeoutMs: random.pick([500, 1000, 2000]),
    probeIntervalMs: random.pick([1000, 3000, 5000]),
    resyncIntervalMs: isRough ? random.pick([10_000, 30_000]) : never,
    room: { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 },
  };
}

/** Redis may lose its keys, and with them the servers that only asked. Then all are configured. */
function drawHosts(random: Random, isAllConfigured: boolean): HostPlan[] {
  return Array.from({ length: random.between(1, 4) }, (_, i) => {
    const address = `10.0.0.${i + 1}`;
    const id = `${address}:${pubSubPort}` as ServerId;
    const isConfigured = i === 0 || random.chance(0.6) || isAllConfigured;
    // A server that is not configured becomes known when it starts, because it asks then.
    return { id, address, isConfigured, isUpAtFirst: isConfigured, givesPort: true };
  });
}

const steadyNetwork: NetworkPlan = {
  baseMs: 1,
  spreadMs: 4,
  dropChance: 0,
  resetChance: 0,
  duplicateChance: 0,
  lateChance: 0,
  maxLateMs: { request: 0, answer: 0, delta: 0, query: 0, startup: 0 },
  holdsPartitioned: false,
};

function drawNetwork(
  random: Random,
  { isRough, isLate }: Pick<InstancesPlan, 'isRough' | 'isLate'>,
  timeoutMs: number,
): NetworkPlan {
  const { maxLateMs } = steadyNetwork;
  if (isLate)
    return {
      ...steadyNetwork,
      lateChance: random.pick([0.1, 0.3]),
      maxLateMs: { ...maxLateMs, request: 1.9 * timeoutMs },
    };
  if (!isRough) return steadyNetwork;
  const chanceOf = (max: number) => (random.chance(0.5) ? max * random.pick([0.1, 0.4, 1]) : 0);
  const lateMs = random.pick([1000, 5000]);
  return {
    baseMs: random.between(0, 5),
    spreadMs: random.pick([5, timeoutMs / 20]),
    dropChance: chanceOf(0.1),
    resetChance: chanceOf(0.1),
    duplicateChance: 0,
    lateChance: chanceOf(0.1),
    maxLateMs: { request: lateMs, answer: lateMs, delta: lateMs, query: lateMs, startup: lateMs },
    holdsPartitioned: false,
  };
}

function drawLinks(random: Random): LinksPlan {
  const isBad = random.chance(0.4);
  const chanceOf = (max: number) => (isBad && random.chance(0.5) ? max : 0);
  return {
    baseMs: random.between(0, 2),
    spreadMs: random.pick([0, 3, 20]),
    connectMs: random.pick([0, 50, 200]),
    dropChance: chanceOf(0.02),
    refuseChance: chanceOf(0.05),
    lateChance: chanceOf(0.05),
    maxLateMs: random.pick([500, 3000, 8000]),
  };
}

function drawWeights(
  random: Random,
  isRough: boolean,
  losesKeys: boolean,
): InstancesPlan['weights'] {
  const weights: Partial<Record<InstancesHappening, number>> = {};
  for (const [kind, { weight, isFault, ...needs }] of Object.entries(instancesHappenings)) {
    const isThere = !isFault || random.chance(0.4);
    const isPossible = (isRough || !needs.isRough) && (losesKeys || !needs.isLossOfKeys);
    if (isThere && isPossible)
      weights[kind as InstancesHappening] = weight * random.pick([0.3, 1, 3]);
  }
  return weights;
}
