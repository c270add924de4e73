import { assign, type EventObject, enqueueActions, type SnapshotFrom } from 'xstate';
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
  steps: 0,
};

export const factsOf = ({ context }: ModelSnapshot): Context => ({ ...factsAtFirst, ...context });
const know = (change: (facts: Context) => Partial<Facts>) =>
  // Facts are no part of the machine's own context.
  assign(({ context }) => change({ ...factsAtFirst, ...context } as Context) as object) as never;

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
    hasBase: ({ context }) => (context as Context).hasBase === true,
    isDoubtful: ({ event }) => (event as ModelEvent).isDoubtful === true,
    hasDip: () => true,
  },
  actions: {
    requestActivity: know(() => ({ isAttemptOpen: true, isKnown: true })),
    requestSilence: nothing,
    requestProbe: nothing,
    // No two of the real server's snapshots are the same.
    mergeSnapshot: enqueueActions(({ context, enqueue }) => {
      const { hasBase, hasPosted } = { ...factsAtFirst, ...context };
      enqueue.raise({ type: 'snapshot.merged' });
      if (hasBase && !hasPosted) enqueue.raise({ type: 'post.missed' });
      enqueue.assign({ hasBase: true, isAttemptOpen: false, hasPosted: false } as object);
    }),
    forgetCounts: know(() => cleared),
    lookAtDips: enqueueActions(({ event, enqueue }) => {
      if ((event as ModelEvent).isDoubtful) enqueue.raise({ type: 'dip.remained' });
    }),
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

const delays = [
  'retryMs',
  'overdueMs',
  'probeMs',
  'removeAfterMs',
  'postGraceMs',
  'startupGraceMs',
  'resyncMs',
  'confirmationMs',
];
const looks = ['doubtMs', 'correctionMs', 'dipsMs'];

const inCrowd = [
  'deactivation.requested',
  'silence.confirmed',
  'activation.requested',
  'snapshot.received',
  'request.failed',
];

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
  if (!snapshot.matches({ standing: 'unknown' } as never)) return [{ type }];
  return [{ type: 'evidence.found' }, { type: 'predecessor.failed' }];
}

/** What can really happen next, one happening after the other. */
export function eventsAt(snapshot: ModelSnapshot): ModelEvent[] {
  const facts = factsOf(snapshot);
  const { rootWish, hasBase, isKnown, hasPosted, isUpdatesWished } = facts;
  const isOpen = (request: string) => snapshot.matches({ request: { open: request } } as never);
  const isWatched = rootWish === 'activity';
  if (rootWish === 'nothing') return [{ type: 'deactivation.requested' }];
  const isOffered: [boolean, ModelEvent][] = [
    [!isWatched, { type: 'activation.requested' }],
    [isWatched && !isUpdatesWished, { type: 'deactivation.requested' }],
    [isOpen('silencing'), { type: 'silence.confirmed' }],
    [isOpen('activating'), { type: 'snapshot.received' }],
    [isOpen('probing'), { type: 'probe.answered' }],
    [snapshot.matches({ request: 'open' } as never), { type: 'request.failed' }],
    // What is posted is heard of first as a post that arrived.
    [hasPosted || !isKnown, { type: 'evidence.found' }],
    [isWatched && hasBase && hasPosted, { type: 'doubt.raised' }],
    [isKnown && !hasPosted, { type: 'post.received' }],
    [isWatched, { type: 'startup.answered' }],
    [isWatched && !isUpdatesWished, { type: 'updates.wished' }],
    [isUpdatesWished, { type: 'updates.unwished' }],
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
