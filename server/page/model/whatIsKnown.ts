import type { StreamStatus } from '../stream/messages.js';

/** What the page may say of a number. Times are by `steadyNow()`. */
export type Known<T = number> =
  | { is: 'known'; value: T }
  /** Not every server is in it (`at least`), or it may be out of date (`about`). */
  | { is: 'partial'; value: T; bound: 'at least' | 'about' }
  /** It was so at that time. What it is now is not known. */
  | { is: 'past'; value: T; atMs: number }
  /** `last`: what it was when it was last known. */
  | { is: 'unknown'; last?: { value: T; atMs: number } | undefined };

/** How well the service and its servers are heard, in one word. Green only if it is `complete`. */
export type Status =
  | { is: 'connecting' | 'waiting' | 'signedOut' | 'starting' | 'noServers' }
  | { is: 'stale' | 'reconnecting'; sinceMs: number }
  /** In a cluster: the instance of this page does not hear from a leader. */
  | { is: 'leaderless'; sinceMs: number | null; hasLeader: boolean }
  /** Some servers have neither answered nor failed yet. */
  | { is: 'asking'; answered: number; servers: number }
  | { is: 'allDown'; servers: number }
  | { is: 'complete'; servers: number }
  /** The numbers of some servers are not in the totals. */
  | { is: 'incomplete'; counted: number; servers: number }
  /** All servers are in the totals, but some numbers may be out of date, or cut. */
  | { is: 'doubtful'; why: Doubt; count: number; servers: number };

/** Why totals that include all servers may be wrong. */
export type Doubt = 'deaf' | 'late' | 'over_limit' | 'snapshot_due' | 'source_unanswered' | 'other';

/** The known servers by how they are heard. */
export interface ServerFacts {
  present: number;
  /** Their numbers are in the totals. */
  counted: number;
  /** They have neither answered nor failed since the service asked. */
  pending: number;
  live: number;
  deaf: number;
  late: number;
  overLimit: number;
}

/** All connections, and all rooms that have any. */
export interface Totals {
  connections: number;
  rooms: number;
}

/** What the stream has told of the fleet. */
export interface FleetFacts {
  /** State of the service. */
  state: string;
  complete: boolean;
  reason: string | null;
  /** Since when the instance has not heard from its leader; null: it does. */
  outdatedSinceMs: number | null;
  totals: Totals;
  servers: ServerFacts;
  /** The totals are still those of this time: the stream is new, or a restarted service asks its servers. Null: of now. */
  heldSinceMs: number | null;
}

/** Everything that decides what the page may say. */
export interface Facts {
  stream: StreamStatus;
  /** Undefined: nothing was told yet. */
  fleet: FleetFacts | undefined;
  /** The totals when they were last complete. */
  lastComplete: (Totals & { atMs: number }) | undefined;
}

/** What the page may say now: one status, and what is known of each number. */
export interface WhatIsKnown {
  status: Status;
  connections: Known;
  rooms: Known;
  /** How many servers are live, and how many there are. */
  servers: Known<{ live: number; present: number }>;
}

const unknown = { is: 'unknown' } as const;

type Numbers = Pick<WhatIsKnown, 'connections' | 'rooms' | 'servers'>;
const nothing: Numbers = { connections: unknown, rooms: unknown, servers: unknown };

/**
 * Decides what the page may say. While the stream is not live, nothing is of now. A total is known only if the
 * numbers are complete: without all servers, 0 is unknown, and other numbers are partial.
 */
export function whatIsKnown(facts: Facts): WhatIsKnown {
  const status = statusOf(facts);
  const { stream, fleet, lastComplete } = facts;
  if (!fleet || stream.kind === 'signedOut') return { status, ...nothing };
  const told = numbersOf(fleet, lastComplete);
  if ('sinceMs' in status) return { status, ...past(told, status.sinceMs) };
  return { status, ...(stream.kind === 'live' ? told : past(told, null)) };
}

function statusOf({ stream, fleet }: Facts): Status {
  if (stream.kind === 'stale' || stream.kind === 'reconnecting')
    return { is: stream.kind, sinceMs: stream.sinceMs };
  if (stream.kind !== 'live') return { is: stream.kind };
  if (!fleet) return { is: 'connecting' };
  const { reason, outdatedSinceMs: sinceMs } = fleet;
  if (isLeaderLost(fleet)) return { is: 'leaderless', sinceMs, hasLeader: reason !== 'no_leader' };
  return fleetStatus(fleet);
}

const isLeaderLost = ({ reason, outdatedSinceMs }: FleetFacts): boolean =>
  reason === 'no_leader' || reason === 'leader_lost' || outdatedSinceMs !== null;

/** The status as the service told it. */
function fleetStatus(fleet: FleetFacts): Status {
  const { state, servers, heldSinceMs } = fleet;
  const { present, pending, counted } = servers;
  // The stream was cut, and has not told any news yet.
  if (heldSinceMs !== null && state === 'active') return { is: 'connecting' };
  if (state !== 'active' && state !== 'activating') return { is: 'starting' };
  if (present === 0) return { is: state === 'active' ? 'noServers' : 'starting' };
  if (heldSinceMs !== null || (state === 'activating' && pending > 0))
    return { is: 'asking', answered: present - pending, servers: present };
  if (counted === 0) return { is: 'allDown', servers: present };
  if (counted < present) return { is: 'incomplete', counted, servers: present };
  return countedStatus(fleet);
}

/** All servers are in the totals. */
function countedStatus(fleet: FleetFacts): Status {
  const { complete, reason, servers } = fleet;
  const { present, live, deaf, late, overLimit } = servers;
  const doubtful = (why: Doubt, count: number) =>
    ({ is: 'doubtful', why, count, servers: present }) as const;
  if (deaf > 0) return doubtful('deaf', deaf);
  if (late > 0) return doubtful('late', late);
  if (overLimit > 0) return doubtful('over_limit', overLimit);
  if (reason === 'snapshot_due' || reason === 'source_unanswered') return doubtful(reason, 1);
  // The numbers that are left from a leader were complete if all its servers were live.
  if (complete || isLeaderLost(fleet)) return { is: 'complete', servers: present };
  return doubtful('other', present - live);
}

/** The numbers as the service told them. */
function numbersOf(fleet: FleetFacts, lastComplete: Facts['lastComplete']): Numbers {
  const status = fleetStatus(fleet);
  const { live, present } = fleet.servers;
  const bound = boundOf(status);
  const of = (name: keyof Totals): Known => {
    const value = fleet.totals[name];
    if (fleet.heldSinceMs !== null) return { is: 'past', value, atMs: fleet.heldSinceMs };
    if (status.is === 'complete') return { is: 'known', value };
    // Without all servers, 0 says nothing.
    if (bound === 'about' || (bound && value > 0)) return { is: 'partial', value, bound };
    const { [name]: last, atMs } = lastComplete ?? {};
    return last === undefined || atMs === undefined
      ? unknown
      : { ...unknown, last: { value: last, atMs } };
  };
  return {
    connections: of('connections'),
    rooms: of('rooms'),
    servers: status.is === 'starting' ? unknown : { is: 'known', value: { live, present } },
  };
}

/** How incomplete totals relate to the truth; undefined: they say nothing. */
function boundOf(status: Status): 'at least' | 'about' | undefined {
  if (status.is === 'asking' || status.is === 'incomplete') return 'at least';
  if (status.is !== 'doubtful') return undefined;
  return status.why === 'over_limit' || status.why === 'source_unanswered' ? 'at least' : 'about';
}

/** The same numbers when none is of now. `atMs` is null if it is not known since when. */
function past({ connections, rooms, servers }: Numbers, atMs: number | null): Numbers {
  const of = <T>(number: Known<T>): Known<T> => {
    if (number.is === 'unknown' || number.is === 'past') return number;
    return atMs === null ? unknown : { is: 'past', value: number.value, atMs };
  };
  return { connections: of(connections), rooms: of(rooms), servers: of(servers) };
}
