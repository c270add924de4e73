import {
  and,
  assertEvent,
  assign,
  enqueueActions,
  fromCallback,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  setup,
  stateIn,
} from 'xstate';
import type {
  FailureCause,
  ServerAnswer,
  ServerId,
  ServerRequest,
  SnapshotReason,
  Timing,
} from './ports.js';
import { emptySlot } from './slots.js';
import type { Tally } from './tally.js';

/** What a pub-sub server is to this service: a state of the region `standing`, or `deaf`. */
export type ServerStatus =
  | 'unknown'
  | 'silent'
  | 'silencing'
  | 'activating'
  | 'live'
  /** It answers, but its posts do not reach this service. */
  | 'deaf'
  | 'stale'
  | 'unreachable';

export type PubSubServerEvent =
  | ServerAnswer
  | { type: 'activation.requested' }
  | { type: 'deactivation.requested' }
  /** A correctly configured server would not have done this. */
  | { type: 'evidence.found' }
  /** Its numbers may be wrong, or a late message may explain them. */
  | { type: 'doubt.raised' }
  /** The first post since its last snapshot arrived. */
  | { type: 'post.received' }
  /** Whether it has to post document updates too. */
  | { type: 'updates.wished' }
  | { type: 'updates.unwished' }
  /** Its start-up query was answered: it has probably restarted, and the answer may still be on its way. */
  | { type: 'startup.answered' }
  /** The actor that this one replaces threw, or another instance counted before. Its last request may still be applied. */
  | { type: 'predecessor.failed' }
  /** The tally has taken its snapshot. */
  | { type: 'snapshot.merged' }
  /** A room below zero is too new to judge, so it needs another look. */
  | { type: 'dip.remained' }
  /** A snapshot differs from the one before, and nothing was posted in between. */
  | { type: 'post.missed' }
  /** The region `posts` entered or left `deaf`. */
  | { type: 'deafness.changed' }
  /** Evidence was found, and the server may be corrected now. */
  | { type: 'correction.due' }
  | { type: 'confirmation.needed' };

/** What the actor of a server tells its parent. */
export type ServerReport =
  | { type: 'server.reported'; server: ServerId; status: ServerStatus; failures: number }
  | { type: 'server.answered'; server: ServerId }
  | { type: 'server.lost'; server: ServerId };

export interface PubSubServerInput {
  readonly server: ServerId;
  readonly tally: Tally;
  readonly timing: Timing;
  /** From 0 to 1. Spreads the times of many servers. */
  readonly jitter: number;
  /** Whether it has to post document updates too, whenever it posts. */
  readonly isUpdatesWished?: boolean;
}

interface Context extends Omit<PubSubServerInput, 'isUpdatesWished'> {
  isUpdatesWished: boolean;
  /** Whether silence or activity, as the standing says, has to be requested next. */
  isRequestDue: boolean;
  /** Why a request became due last. */
  reason: SnapshotReason;
  isProbeDue: boolean;
  /** Failed requests since the last answer, or since the fleet was last told what to do. */
  failures: number;
  lastFailure: FailureCause | null;
  /** How many corrections in a row were needed. */
  recurrences: number;
  /** Snapshots since its last post that differed from the ones before. */
  missed: number;
}

const retry = { firstMs: 250, maxMs: 5000, silencingLimit: 5 };
const correctionIntervalMs = 2000;
/** A snapshot that changed without a post can follow a lost post or an unseen restart. This many in a row mean deafness. */
const missedLimit = 2;
const removeAfterMs = 10 * 60_000;
/** Between two looks at rooms below zero. A room seen at three looks, for 250 to 375 ms, is evidence. */
const dipsMs = 125;
/** A request sent this long after the answer to a start-up query does not overtake it. */
const startupGraceMs = 50;

const isEngaged = stateIn({ standing: 'engaged' });
const isApplying = stateIn({ startup: 'applying' });
const isDeaf = stateIn({ posts: 'deaf' });
const isCooling = stateIn({ evidence: 'cooling' });

const base = setup({
  types: {
    context: {} as Context,
    events: {} as PubSubServerEvent,
    input: {} as PubSubServerInput,
  },
  actors: {
    serverRequests: fromCallback<ServerRequest, { server: ServerId }>(emptySlot('serverRequests')),
  },
  guards: {
    isRequestDue: ({ context }) => context.isRequestDue,
    isSilenceDue: and(['isRequestDue', stateIn({ standing: 'silencing' })]),
    isSnapshotDue: and(['isRequestDue', isEngaged, not(isApplying)]),
    isProbeDue: ({ context }) => context.isProbeDue,
    /** A probe changes nothing on the server. The other requests do. */
    isCommandOpen: or([
      stateIn({ request: { open: 'silencing' } }),
      stateIn({ request: { open: 'activating' } }),
    ]),
    isFirstTryDue: ({ context }) => context.isRequestDue && context.failures === 0,
    hasNoFailures: ({ context }) => context.failures === 0,
    hasGivenUp: ({ context }) => context.failures >= retry.silencingLimit,
    isQueryNew: not(isApplying),
    isQueryHeeded: and([not(isApplying), not(isCooling)]),
    isSnapshotUsable: ({ context, event }) =>
      event.type === 'snapshot.received' && context.tally.accepts(context.server, event.epoch),
    isConfirmed: stateIn({ confirmation: 'unneeded' }),
    hasBase: ({ context }) => context.tally.baseOf(context.server) !== undefined,
    isDoubtful: ({ context }) => context.tally.isDoubtful(context.server),
    isEvidenceStanding: or([
      stateIn({ evidence: { cooling: { recurrence: 'found' } } }),
      'isDoubtful',
    ]),
    hasDip: ({ context }) => context.tally.hasDip(context.server),
    hasMissed: ({ context }) => context.missed > 0,
    isUnheard: ({ context }) => context.missed >= missedLimit,
  },
  actions: {
    startOver: assign({
      isRequestDue: true,
      reason: 'activation',
      isProbeDue: false,
      failures: 0,
    }),
    demandRequest: assign({
      isRequestDue: true,
      reason: (_, { reason }: { reason: SnapshotReason }) => reason,
    }),
    demandProbe: assign({ isProbeDue: true }),
    clearDue: assign({ isRequestDue: false, isProbeDue: false }),
    wishUpdates: assign({ isUpdatesWished: true }),
    unwishUpdates: assign({ isUpdatesWished: false }),
    requestActivity: sendTo('serverRequests', ({ context }) => ({
      type: 'activity.requested' as const,
      epoch: context.tally.openAttempt(context.server),
      withUpdates: context.isUpdatesWished,
      reason: context.tally.baseOf(context.server) === undefined ? 'activation' : context.reason,
    })),
    requestSilence: sendTo('serverRequests', ({ context }) => ({
      type: 'silence.requested' as const,
      epoch: context.tally.nextEpoch(),
    })),
    requestProbe: sendTo('serverRequests', { type: 'probe.requested' as const }),
    clearFailures: assign({ failures: 0, lastFailure: null }),
    countFailure: assign(({ context, event }) => {
      assertEvent(event, 'request.failed');
      return {
        failures: context.failures + 1,
        lastFailure: event.cause,
        isRequestDue: true,
        reason: 'failure' as const,
      };
    }),
    mergeSnapshot: enqueueActions(({ context: { tally, server }, event, enqueue }) => {
      assertEvent(event, 'snapshot.received');
      const isUnexplained = tally.merge(server, event.epoch, event.snapshot);
      enqueue.raise({ type: 'snapshot.merged' });
      if (isUnexplained) enqueue.raise({ type: 'post.missed' });
      // A +1 may have been lost while the request was open. Nothing later would show that.
      if (tally.hasDip(server)) enqueue.raise({ type: 'doubt.raised' });
    }),
    forgetCounts: ({ context }) => context.tally.drop(context.server),
    lookAtDips: enqueueActions(({ context: { tally, server }, enqueue }) => {
      const { lasting, isDue } = tally.lookAtDips(server);
      // A +1 that lifts the room later is another connection, and explains nothing.
      if (lasting) enqueue.raise({ type: 'evidence.found' });
      if (isDue) enqueue.raise({ type: 'dip.remained' });
    }),
    findEvidence: raise({ type: 'evidence.found' }),
    allowCorrection: raise({ type: 'correction.due' }),
    needConfirmation: raise({ type: 'confirmation.needed' }),
    countRecurrence: assign({ recurrences: ({ context }) => context.recurrences + 1 }),
    clearRecurrences: assign({ recurrences: 0 }),
    countMissed: assign({ missed: ({ context }) => context.missed + 1 }),
    clearMissed: assign({ missed: 0 }),
    tellDeafness: raise({ type: 'deafness.changed' }),
    report: sendParent(({ context }, { status }: { status: ServerStatus }): ServerReport => {
      const { server, failures } = context;
      return { type: 'server.reported', server, status, failures };
    }),
    announceAnswer: sendParent(
      ({ context }): ServerReport => ({ type: 'server.answered', server: context.server }),
    ),
    announceLoss: sendParent(
      ({ context }): ServerReport => ({ type: 'server.lost', server: context.server }),
    ),
  },
  delays: {
    retryMs: ({ context: { failures, jitter } }) =>
      Math.min(retry.maxMs, retry.firstMs * 2 ** (failures - 1)) * (0.75 + jitter / 2),
    probeMs: ({ context: { timing, jitter } }) => timing.probeIntervalMs * (0.8 + jitter / 5),
    resyncMs: ({ context: { timing, jitter } }) => timing.resyncIntervalMs * (0.9 + jitter / 10),
    confirmationMs: ({ context }) => context.timing.requestTimeoutMs,
    dipsMs,
    doubtMs: ({ context }) => context.timing.requestTimeoutMs,
    postGraceMs: ({ context }) => context.timing.requestTimeoutMs,
    overdueMs: ({ context: { timing } }) => 3 * timing.probeIntervalMs + timing.requestTimeoutMs,
    correctionMs: ({ context: { timing, recurrences } }) =>
      Math.min(
        Math.max(timing.resyncIntervalMs, correctionIntervalMs),
        correctionIntervalMs * 2 ** recurrences,
      ),
    startupGraceMs,
    removeAfterMs,
  },
});

/** Events, slots, guards, delays and actions of `pubSubServerMachine.ts`. */
export const pubSubServerSetup = base.extend({
  actions: {
    reportHeard: base.enqueueActions(({ context: { server, failures }, check, enqueue }) => {
      const status = check(isDeaf) ? 'deaf' : 'live';
      enqueue.sendParent({ type: 'server.reported', server, status, failures });
    }),
  },
});
