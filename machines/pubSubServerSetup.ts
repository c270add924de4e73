import { assign, enqueueActions, fromCallback, raise, sendParent, sendTo, setup } from 'xstate';
import type { FailureCause, ServerAnswer, ServerId, ServerRequest, Timing } from './ports.js';
import { emptySlot } from './slots.js';
import type { Tally } from './tally.js';

/** What a pub-sub server is to this service; the states of the region `standing`. */
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
  /** It said something that a server set right would not say. */
  | { type: 'evidence.found' }
  /** Its numbers may be wrong, or a late message may explain them. */
  | { type: 'doubt.raised' }
  /** Time to look at the rooms below zero again. */
  | { type: 'dips.due' }
  /** The first post since its last snapshot arrived. */
  | { type: 'post.received' }
  /** A snapshot differs from the one before, and nothing was posted in between. */
  | { type: 'post.missed' }
  /** Raised by the region `posts`. */
  | { type: 'deafness.changed' }
  /** Whether it is to post updates of documents, beside its connections. */
  | { type: 'updates.wished' }
  | { type: 'updates.unwished' }
  /** It was answered a start-up query: it has probably restarted, and the answer may yet be applied. */
  | { type: 'startup.answered' }
  | { type: 'startup.applied' }
  /** Raised by the region `evidence`, no oftener than a server may be set right. */
  | { type: 'correction.due' }
  | { type: 'resync.due' }
  /** What was not acknowledged has been applied by now, or never will be. */
  | { type: 'confirmation.due' };

/** What the actor of a server tells its parent. */
export type ServerReport =
  | { type: 'server.reported'; server: ServerId; status: ServerStatus; failures: number }
  | { type: 'server.answered'; server: ServerId }
  | { type: 'server.lost'; server: ServerId };

export interface PubSubServerInput {
  readonly server: ServerId;
  readonly tally: Tally;
  readonly timing: Timing;
  /** From 0 to 1, spreads the times of many servers. */
  readonly jitter: number;
  /** Whether it is to post updates of documents, when it posts at all. */
  readonly isUpdatesWished?: boolean;
  /** Whether an actor before this one may have sent it what was never acknowledged. */
  readonly isUnconfirmed?: boolean;
}

interface Context extends Omit<PubSubServerInput, 'isUpdatesWished' | 'isUnconfirmed'> {
  isUpdatesWished: boolean;
  wish: 'activity' | 'silence' | 'nothing';
  isRequestDue: boolean;
  isProbeDue: boolean;
  /** Failed requests since the last answer or the last change of the wish. */
  failures: number;
  lastFailure: FailureCause | null;
  /** A request that was never acknowledged may still be applied: snapshots are provisional until that is over. */
  isUnconfirmed: boolean;
  /** Its start-up query was answered less than the grace time ago. */
  isStartupAwaited: boolean;
  /** A start-up query was answered while the server may not be set right again: confirmed later, too. */
  isStartupNoted: boolean;
  /** Evidence that came while the server may not be set right again. */
  isEvidenceNoted: boolean;
  /** Whether a look at the rooms below zero is planned. */
  isLookPlanned: boolean;
  /** How often it had to be set right in a row. */
  recurrences: number;
  /** Snapshots since its last post that differed from the ones before. */
  missed: number;
  isDeaf: boolean;
}

const retry = { firstMs: 250, maxMs: 5000, silencingLimit: 5 };
const correctionIntervalMs = 2000;
/** A single post may be lost, or its server restart unseen; so many times in a row with no post at all is no accident. */
const missedLimit = 2;
const letGoMs = 10 * 60_000;
/** Between two looks at rooms below zero. One that is there at three, for 250 to 375 ms, is evidence. */
const dipsMs = 125;
/** A server applies the answer to its start-up query before a request that follows so much later. */
const startupGraceMs = 50;

/** What the chart of `pubSubServerMachine.ts` names: its events, guards, delays, actions and slots. */
export const pubSubServerSetup = setup({
  types: {
    context: {} as Context,
    events: {} as PubSubServerEvent,
    input: {} as PubSubServerInput,
  },
  actors: {
    serverRequests: fromCallback<ServerRequest, { server: ServerId }>(emptySlot('serverRequests')),
  },
  guards: {
    isSilenceDue: ({ context }) => context.wish === 'silence' && context.isRequestDue,
    isSnapshotDue: ({ context }) =>
      context.wish === 'activity' && context.isRequestDue && !context.isStartupAwaited,
    isProbeDue: ({ context }) => context.isProbeDue,
    hasNoFailures: ({ context }) => context.failures === 0,
    hasGivenUp: ({ context }) => context.failures >= retry.silencingLimit,
    isRequestDue: ({ context }) => context.isRequestDue,
    isStartupNew: ({ context }) => !context.isStartupAwaited,
    isSnapshotUsable: ({ context, event }) =>
      event.type === 'snapshot.received' && context.tally.accepts(context.server, event.epoch),
    isSnapshotProvisional: ({ context, event }) =>
      context.isUnconfirmed &&
      event.type === 'snapshot.received' &&
      context.tally.accepts(context.server, event.epoch),
    hasBase: ({ context }) => context.tally.baseOf(context.server) !== undefined,
    isDoubtful: ({ context }) => context.tally.isDoubtful(context.server),
    hasMissed: ({ context }) => context.missed > 0,
    isUnheard: ({ context }) => context.missed >= missedLimit,
    isEvidenceStanding: ({ context }) =>
      context.isEvidenceNoted || context.tally.isDoubtful(context.server),
  },
  actions: {
    wishActivity: assign({ wish: 'activity', isRequestDue: true, isProbeDue: false, failures: 0 }),
    wishSilence: assign({ wish: 'silence', isRequestDue: true, isProbeDue: false, failures: 0 }),
    wishNothing: assign({ wish: 'nothing', isRequestDue: false, isProbeDue: false }),
    wishUpdates: assign({ isUpdatesWished: true }),
    unwishUpdates: assign({ isUpdatesWished: false }),
    demandRequest: assign({ isRequestDue: true }),
    demandProbe: assign({ isProbeDue: true }),
    requestActivity: sendTo('serverRequests', ({ context }) => ({
      type: 'activity.requested' as const,
      epoch: context.tally.openAttempt(context.server),
      withUpdates: context.isUpdatesWished,
    })),
    requestSilence: sendTo('serverRequests', ({ context }) => ({
      type: 'silence.requested' as const,
      epoch: context.tally.nextEpoch(),
    })),
    requestProbe: sendTo('serverRequests', { type: 'probe.requested' as const }),
    clearDue: assign({ isRequestDue: false, isProbeDue: false }),
    clearFailures: assign({ failures: 0, lastFailure: null }),
    countFailure: assign(({ context, event }) => ({
      failures: context.failures + 1,
      lastFailure: event.type === 'request.failed' ? event.cause : null,
      isRequestDue: true,
    })),
    /** This may be applied later than what a confirmation is due for: the next snapshot gets one of its own. */
    markUnconfirmed: enqueueActions(({ enqueue }) => {
      enqueue.assign({ isUnconfirmed: true });
      enqueue.cancel('confirmation');
    }),
    clearUnconfirmed: assign({ isUnconfirmed: false }),
    mergeSnapshot: enqueueActions(({ context: { tally, server }, event, enqueue }) => {
      if (event.type !== 'snapshot.received') return;
      const isUnexplained = tally.merge(server, event.epoch, event.snapshot);
      if (isUnexplained) enqueue.raise({ type: 'post.missed' });
      // A -1 whose +1 was lost beside the request: nothing later says so.
      if (tally.hasDip(server)) enqueue.raise({ type: 'doubt.raised' });
    }),
    planLook: enqueueActions(({ context: { tally, server, isLookPlanned }, enqueue }) => {
      if (isLookPlanned || !tally.hasDip(server)) return;
      enqueue.assign({ isLookPlanned: true });
      enqueue.raise({ type: 'dips.due' }, { id: 'dips', delay: 'dipsMs' });
    }),
    lookAtDips: enqueueActions(({ context: { tally, server }, enqueue }) => {
      const { lasting, isDue } = tally.lookAtDips(server);
      enqueue.assign({ isLookPlanned: isDue });
      // Whatever lifts the room later: that is a connection opened, which has nothing to do with it.
      if (lasting) enqueue.raise({ type: 'evidence.found' });
      if (isDue) enqueue.raise({ type: 'dips.due' }, { id: 'dips', delay: 'dipsMs' });
    }),
    forgetCounts: ({ context }) => context.tally.drop(context.server),
    scheduleResync: enqueueActions(({ enqueue }) => {
      enqueue.cancel('resync');
      enqueue.raise({ type: 'resync.due' }, { id: 'resync', delay: 'resyncMs' });
    }),
    /** A snapshot after a request that may still be applied is confirmed by another one, later than that. */
    scheduleConfirmation: enqueueActions(({ enqueue }) => {
      enqueue.cancel('resync');
      enqueue.cancel('confirmation');
      enqueue.raise({ type: 'confirmation.due' }, { id: 'confirmation', delay: 'confirmationMs' });
    }),
    cancelResync: enqueueActions(({ enqueue }) => {
      enqueue.cancel('resync');
      enqueue.cancel('confirmation');
    }),
    awaitStartupApplied: enqueueActions(({ enqueue }) => {
      enqueue.assign({ isStartupAwaited: true });
      enqueue.raise({ type: 'startup.applied' }, { id: 'startup', delay: 'startupGraceMs' });
    }),
    noteStartupApplied: enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ isStartupAwaited: false });
      // What is due goes out now, unless it waits for a retry.
      if (!context.isRequestDue || context.failures > 0) enqueue.raise({ type: 'evidence.found' });
    }),
    countMissed: assign({ missed: ({ context }) => context.missed + 1 }),
    clearMissed: assign({ missed: 0 }),
    /** When it is asked again, once is enough: nothing says that its posts arrive by then. */
    recallMissed: assign({ missed: missedLimit - 1 }),
    markDeaf: enqueueActions(({ enqueue }) => {
      enqueue.assign({ isDeaf: true });
      enqueue.raise({ type: 'deafness.changed' });
    }),
    unmarkDeaf: enqueueActions(({ enqueue }) => {
      enqueue.assign({ isDeaf: false });
      enqueue.raise({ type: 'deafness.changed' });
    }),
    noteEvidence: assign({ isEvidenceNoted: true }),
    allowCorrection: raise({ type: 'correction.due' }),
    noteStartup: assign({ isStartupNoted: true }),
    heedStartup: assign({
      isUnconfirmed: ({ context }) => context.isUnconfirmed || context.isStartupNoted,
      isStartupNoted: false,
    }),
    countRecurrence: assign({
      isEvidenceNoted: false,
      recurrences: ({ context }) => context.recurrences + 1,
    }),
    clearRecurrences: assign({ isEvidenceNoted: false, recurrences: 0 }),
    report: sendParent(({ context }, { status }: { status: ServerStatus }): ServerReport => {
      const { server, failures } = context;
      return { type: 'server.reported', server, status, failures };
    }),
    reportHeard: sendParent(({ context }): ServerReport => {
      const { server, failures, isDeaf } = context;
      return { type: 'server.reported', server, status: isDeaf ? 'deaf' : 'live', failures };
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
    lateMs: ({ context }) => context.timing.requestTimeoutMs,
    overdueMs: ({ context: { timing } }) => 3 * timing.probeIntervalMs + timing.requestTimeoutMs,
    correctionMs: ({ context: { timing, recurrences } }) =>
      Math.min(
        Math.max(timing.resyncIntervalMs, correctionIntervalMs),
        correctionIntervalMs * 2 ** recurrences,
      ),
    startupGraceMs,
    letGoMs,
  },
});
