import { assign, fromCallback, sendTo, setup } from 'xstate';
import type { DiscoveryRequest, ServerId, Term, Timing } from './ports.js';
import { pubSubServerMachine } from './pubSubServerMachine.js';
import type { ServerReport } from './pubSubServerSetup.js';
import type { Roster, Standing } from './roster.js';
import { emptySlot } from './slots.js';
import type { Post, Tally, TallyLimits } from './tally.js';

export type ActivationEvent =
  | ServerReport
  | { type: 'viewer.connected' }
  | { type: 'viewer.disconnected' }
  /** All posts of a few milliseconds, in order. The sender empties the array afterwards: do not keep it. */
  | { type: 'deltas.received'; posts: readonly Post[] }
  /** These servers posted something that a correctly set server would not post, or their posts may be lost. */
  | { type: 'evidence.found'; servers: readonly ServerId[] }
  /** A start-up query was answered: post. Any of these servers may have sent it. */
  | { type: 'startup.answered'; servers: readonly ServerId[] }
  /** These are pub-sub servers. Candidates only claim to be. */
  | { type: 'servers.found'; servers: readonly ServerId[]; standing: Standing }
  /** All servers that the sources of discovery name now. `fromRooms`: named by the rooms table alone. */
  | {
      type: 'servers.discovered';
      servers: readonly ServerId[];
      fromRooms?: readonly ServerId[] | undefined;
    }
  /** A viewer opened or closed the stream of document updates. */
  | { type: 'updates.watched' }
  | { type: 'updates.unwatched' }
  | { type: 'shutdown.requested' }
  /** Time to tell the next servers what the fleet is to do. */
  | { type: 'batch.due' }
  /** The actor of a server threw a while ago. */
  | { type: 'replacement.due'; actorId: string }
  /** XState sends this when a child throws. */
  | { type: `xstate.error.actor.${string}`; actorId: string; error: unknown };

export interface ActivationInput {
  timing: Timing;
  /** Servers of the configuration. */
  servers: readonly ServerId[];
  limits?: TallyLimits;
  /**
   * `silencing`: nobody watches, and an earlier run may have left servers active. `lingering`: another
   * instance counted until now, and its viewers may come here. Default: `silencing`.
   */
  begins?: 'silencing' | 'lingering';
  /** Of this leadership; undefined: there is no cluster. */
  term?: Term;
}

export interface ActivationContext extends Required<Pick<ActivationInput, 'begins'>> {
  readonly tally: Tally;
  readonly roster: Roster;
  readonly timing: Timing;
  /** Whether another instance may have told the servers something a moment ago. */
  readonly isSuccessor: boolean;
  viewers: number;
  /** Viewers of the stream of document updates; they are among the viewers. */
  updateViewers: number;
  isShuttingDown: boolean;
}

/** Events, slots, guards and delays of `activationMachine.ts`. More actions are in `*Actions.ts`. */
export const activationSetup = setup({
  types: {
    context: {} as ActivationContext,
    events: {} as ActivationEvent,
    input: {} as ActivationInput,
  },
  actors: {
    pubSubServer: pubSubServerMachine,
    /** Slot: asks the sources once at the start, and repeatedly between the two events. */
    discovery: fromCallback<DiscoveryRequest>(emptySlot('discovery')),
  },
  guards: {
    /** During a shutdown viewers no longer count. */
    isWatched: ({ context }) => context.viewers > 0 && !context.isShuttingDown,
    isUnwatched: ({ context }) => context.viewers === 0,
    isCounting: ({ context }) => context.roster.wished === 'activity',
    isSettled: ({ context }) => context.roster.isSettled,
    isShuttingDown: ({ context }) => context.isShuttingDown,
    isTakeover: ({ context }) => context.begins === 'lingering',
    isShutdownComplete: ({ context }) => context.isShuttingDown && context.roster.isSettled,
  },
  delays: { lingerMs: ({ context }) => context.timing.lingerMs },
  actions: {
    /** Slot: something that viewers see may have changed. */
    publish: emptySlot('publish'),
    /** Slot: all counts were dropped, so viewers need a whole map next. */
    restartFeed: emptySlot('restartFeed'),
    /** Slot: the actor of a server or a room threw. That is a bug in this service. */
    reportDefect: emptySlot('reportDefect'),

    addViewer: assign({ viewers: ({ context }) => context.viewers + 1 }),
    removeViewer: assign({ viewers: ({ context }) => Math.max(0, context.viewers - 1) }),
    markShuttingDown: assign({ isShuttingDown: true }),
    clearTally: ({ context }) => context.tally.clear(),
    endDiscovery: sendTo('discovery', { type: 'discovery.ended' as const }),
  },
});
