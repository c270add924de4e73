import { assign, type EventObject, enqueueActions, raise, type SnapshotFrom } from 'xstate';
import type { ServerId } from '../../../machines/ports.js';
import { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import { Tally } from '../../../machines/tally.js';
import { modelOf } from './modelOf.js';

/** What the model knows of what is around the actor of a server. */
interface Facts {
  /** What the root wishes of all servers; at first it has said nothing. */
  rootWish: 'nothing' | 'activity' | 'silence';
  hasBase: boolean;
  /** Whether the answer to the open request would still be accepted. */
  isAttemptOpen: boolean;
  /** Whether the tally knows it, and whether anything was posted since the last snapshot. */
  isKnown: boolean;
  hasPosted: boolean;
  timers: { resync: boolean; confirmation: boolean; dips: boolean };
  steps: number;
}

export interface ModelEvent extends EventObject {
  /** Whether the numbers look wrong when a delay looks at them. */
  isDoubtful?: boolean;
}

type Context = SnapshotFrom<typeof pubSubServerMachine>['context'] & Facts;
type Model = typeof pubSubServerMachine;
export type ModelSnapshot = SnapshotFrom<Model>;

const factsAtFirst: Facts = {
  rootWish: 'nothing',
  hasBase: false,
  isAttemptOpen: false,
  isKnown: false,
  hasPosted: false,
  timers: { resync: false, confirmation: false, dips: false },
  steps: 0,
};

export const factsOf = ({ context }: ModelSnapshot): Context => ({ ...factsAtFirst, ...context });
const know = (change: (facts: Context) => Partial<Facts>) =>
  // Facts are no part of the machine's own context.
  assign(({ context }) => change({ ...factsAtFirst, ...context } as Context) as object) as never;
const timer = (name: keyof Facts['timers'], isSet: boolean) =>
  know(({ timers }) => ({
    timers: { ...timers, [name]: isSet },
  }));

/** The root clears all counts when nobody looks any more, and with them the open attempt. */
const cleared = { hasBase: false, isAttemptOpen: false, isKnown: false, hasPosted: false } as const;

/** What the root does when it says something. */
const surroundings = {
  on: {
    'activation.requested': {
      actions: know(({ rootWish, ...facts }) => ({
        ...(rootWish === 'activity' ? cleared : facts),
        rootWish: 'activity',
      })),
    },
    'deactivation.requested': { actions: know(() => ({ rootWish: 'silence', ...cleared })) },
    'post.received': { actions: know(() => ({ hasPosted: true })) },
  },
};

/** States that are the same to what can happen next. */
export function keyOf(snapshot: ModelSnapshot): string {
  const {
    server: _s,
    tally: _t,
    timing: _i,
    jitter: _j,
    lastFailure: _l,
    recurrences: _r,
    missed,
    ...facts
  } = factsOf(snapshot);
  return JSON.stringify([snapshot.value, facts, Math.min(missed, 2)]);
}

/** The state without the region that the machine does not have. */
export function stateOf({ value }: ModelSnapshot): unknown {
  const { surroundings: _, ...own } = value as Record<string, unknown>;
  return own;
}

const nothing = () => {};
const isSure = ({ context, event }: { context: unknown; event: ModelEvent }) =>
  event.type === 'snapshot.received' && (context as Context).isAttemptOpen;

/** The model of one server's actor: the same chart, with the tally and the clock made facts and events. */
export const pubSubServerModel = modelOf(pubSubServerMachine, { surroundings }).provide({
  guards: {
    isSnapshotUsable: isSure,
    isSnapshotProvisional: (args) => args.context.isUnconfirmed && isSure(args),
    hasBase: ({ context }) => (context as Context).hasBase === true,
    isDoubtful: ({ event }) => (event as ModelEvent).isDoubtful === true,
    isEvidenceStanding: ({ context, event }) =>
      context.isEvidenceNoted || (event as ModelEvent).isDoubtful === true,
  },
  actions: {
    requestActivity: know(() => ({ isAttemptOpen: true, isKnown: true })),
    requestSilence: nothing,
    requestProbe: nothing,
    // No two of the real server's snapshots are the same.
    mergeSnapshot: enqueueActions(({ context, enqueue }) => {
      const { hasBase, hasPosted } = { ...factsAtFirst, ...context };
      if (hasBase && !hasPosted) enqueue.raise({ type: 'post.missed' });
      enqueue.assign({ hasBase: true, isAttemptOpen: false, hasPosted: false } as object);
    }),
    forgetCounts: know(() => cleared),
    scheduleResync: timer('resync', true),
    scheduleConfirmation: know(({ timers }) => ({
      timers: { ...timers, resync: false, confirmation: true },
    })),
    cancelResync: know(({ timers }) => ({
      timers: { ...timers, resync: false, confirmation: false },
    })),
    planLook: timer('dips', true),
    lookAtDips: timer('dips', false),
    markUnconfirmed: assign(({ context }) => ({
      isUnconfirmed: true,
      timers: { ...factsAtFirst.timers, ...(context as Context).timers, confirmation: false },
    })),
    heedStartup: assign(({ context }) => ({
      isUnconfirmed: context.isUnconfirmed || context.isStartupNoted,
      isStartupNoted: false,
    })),
    awaitStartupApplied: assign({ isStartupAwaited: true }),
    allowCorrection: raise({ type: 'correction.due' }),
    report: nothing,
    reportHeard: nothing,
    announceAnswer: nothing,
    announceLoss: nothing,
  },
});

export const modelInput = {
  server: '127.0.0.1:1' as ServerId,
  tally: new Tally(),
  timing: {
    lingerMs: 0,
    requestTimeoutMs: 1,
    probeIntervalMs: 1,
    resyncIntervalMs: 1,
    room: { subscribingMs: 1, checkMs: 1, pollMs: 1 },
  },
  jitter: 0,
};

const delays = ['retryMs', 'overdueMs', 'probeMs', 'letGoMs', 'lateMs'];
const looks = ['doubtMs', 'correctionMs'];

const inCrowd = ['deactivation.requested', 'silence.confirmed', 'activation.requested'];

/**
 * A server that is told after more others than can be told in one moment: whoever comes before it has
 * been told of the silence has it told of the same wish again.
 */
export function eventsInCrowd(snapshot: ModelSnapshot): ModelEvent[] {
  const isWatched = factsOf(snapshot).rootWish === 'activity';
  const few = eventsAt(snapshot).filter(({ type }) => inCrowd.includes(type));
  return isWatched ? [...few, { type: 'activation.requested' }] : few;
}

/** A server that this service does not know of and that posts; as soon as it answers, it is told like any other. */
export function eventsOfCandidate(snapshot: ModelSnapshot): ModelEvent[] {
  if (factsOf(snapshot).rootWish !== 'nothing') return [];
  const isSilent = snapshot.matches({ standing: 'silent' } as never);
  const type = isSilent ? 'deactivation.requested' : 'silence.confirmed';
  return snapshot.matches({ standing: 'unknown' } as never)
    ? [{ type: 'evidence.found' }]
    : [{ type }];
}

/** What can really happen next, one happening after the other. */
export function eventsAt(snapshot: ModelSnapshot): ModelEvent[] {
  const facts = factsOf(snapshot);
  const {
    rootWish,
    hasBase,
    isKnown,
    hasPosted,
    isStartupAwaited,
    isUpdatesWished,
    timers = factsAtFirst.timers,
  } = facts;
  const { request } = snapshot.value as { request: string };
  const isWatched = rootWish === 'activity';
  if (rootWish === 'nothing') return [{ type: 'deactivation.requested' }];
  const isOffered: [boolean, ModelEvent][] = [
    [!isWatched, { type: 'activation.requested' }],
    [isWatched && !isUpdatesWished, { type: 'deactivation.requested' }],
    [request === 'silencing', { type: 'silence.confirmed' }],
    [request === 'activating', { type: 'snapshot.received' }],
    [request === 'probing', { type: 'probe.answered' }],
    [/ing$/.test(request) && !/resting|waiting/.test(request), { type: 'request.failed' }],
    // What is posted is heard of first as a post that arrived.
    [hasPosted || !isKnown, { type: 'evidence.found' }],
    [isWatched && hasBase && hasPosted, { type: 'doubt.raised' }],
    [isKnown && !hasPosted, { type: 'post.received' }],
    [timers.dips, { type: 'dips.due' }],
    [isWatched, { type: 'startup.answered' }],
    [isStartupAwaited, { type: 'startup.applied' }],
    [isWatched && !isUpdatesWished, { type: 'updates.wished' }],
    [isUpdatesWished, { type: 'updates.unwished' }],
    [timers.resync, { type: 'resync.due' }],
    [timers.confirmation, { type: 'confirmation.due' }],
    ...delays.map((delay): [boolean, ModelEvent] => [true, { type: `after.${delay}` }]),
    ...looks.flatMap((delay): [boolean, ModelEvent][] => [
      [true, { type: `after.${delay}`, isDoubtful: false }],
      [hasBase && hasPosted, { type: `after.${delay}`, isDoubtful: true }],
    ]),
  ];
  return isOffered
    .filter(([isPossible, event]) => isPossible && snapshot.can(event as never))
    .map(([, event]) => event);
}
