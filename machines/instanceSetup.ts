import { assign, fromCallback, sendTo, setup } from 'xstate';
import { activationMachine } from './activationMachine.js';
import type { ActivationInput } from './activationSetup.js';
import type { ElectionEvent, ElectionRequest, Leader, RoomName, Term } from './ports.js';
import { roomMachine } from './roomMachine.js';
import { emptySlot } from './slots.js';
import type { WatchedRooms } from './watchedRooms.js';

export type InstanceEvent =
  | ElectionEvent
  /** No pub-sub server answers this leader, although another instance says that it could reach them. */
  | { type: 'fleet.unreachable' }
  /** While handing over: no request to a pub-sub server is open, and it is known who else is there. */
  | { type: 'requests.ended' }
  | { type: 'shutdown.requested' }
  /** A viewer opened or closed a room. */
  | { type: 'room.watched'; room: RoomName }
  | { type: 'room.unwatched'; room: RoomName }
  /** Nobody has watched the room for the linger time. */
  | { type: 'room.expired'; room: RoomName }
  /** The actor of a room threw a while ago. */
  | { type: 'replacement.due'; actorId: string }
  /** XState sends this when a child throws. */
  | { type: `xstate.error.actor.${string}`; actorId: string; error: unknown };

export interface InstanceInput extends Pick<ActivationInput, 'timing' | 'servers' | 'limits'> {
  isInCluster: boolean;
}

export interface InstanceContext extends InstanceInput {
  readonly rooms: WatchedRooms;
  /** The instance that leads; undefined: none is known, or this one leads. */
  leader: Leader | undefined;
  /** The leadership of this instance: the newest one, if it does not lead now. */
  term: Term | undefined;
  /** Whether pub-sub servers posted to the previous leader. */
  wasActive: boolean;
  isRedisLost: boolean;
  isFleetUnreachable: boolean;
  isShuttingDown: boolean;
}

/** A leader that reaches no pub-sub server lets others lead for this long. */
const backOffMs = 60_000;

/** Events, slots, guards and delays of `instanceMachine.ts`. Actions about rooms are in `watchActions.ts`. */
export const instanceSetup = setup({
  types: {
    context: {} as InstanceContext,
    events: {} as InstanceEvent,
    input: {} as InstanceInput,
  },
  actors: {
    activation: activationMachine,
    room: roomMachine,
    /** Slot: tells who leads, and takes the lease when asked, if nobody has it. */
    election: fromCallback<ElectionRequest>(emptySlot('election')),
  },
  guards: {
    isInCluster: ({ context }) => context.isInCluster,
    isRedisLost: ({ context }) => context.isRedisLost,
    isShuttingDown: ({ context }) => context.isShuttingDown,
    /** Slot: another instance is there, and may lead. */
    hasSuccessor: emptySlot('hasSuccessor') as () => boolean,
    isRoom: ({ event }) => 'actorId' in event && event.actorId.startsWith('room:'),
  },
  delays: {
    lingerMs: ({ context }) => context.timing.lingerMs,
    /** Longest time until every request has ended and a fresh beat tells who is there. */
    handingOverMs: ({ context }) => Math.max(context.timing.requestTimeoutMs, 2000),
    /** Posts to the old leader are under way for about as long. */
    farewellMs: 500,
  },
  actions: {
    /** Slot: the role or the leader has changed. */
    publishRole: emptySlot('publishRole'),
    /** Slot: no request to a pub-sub server may start, and those that are open go on. */
    holdRequests: emptySlot('holdRequests'),
    /** Slot: requests to pub-sub servers may start again. */
    resumeRequests: emptySlot('resumeRequests'),
    /** Slot: this leadership is over. Every open request to a pub-sub server ends at once. */
    closeFleet: emptySlot('closeFleet'),
    /** Slot: the actor of a room threw. That is a bug in this service. */
    reportDefect: emptySlot('reportDefect'),

    campaign: sendTo('election', { type: 'campaign.requested' as const }),
    release: sendTo('election', ({ context }) => ({
      type: 'release.requested' as const,
      ...(context.isFleetUnreachable && { backOffMs }),
    })),
    shutDownActivation: sendTo('activation', { type: 'shutdown.requested' as const }),
    noteLeader: assign({
      leader: ({ event }) => (event.type === 'leader.seen' ? event.leader : undefined),
    }),
    noteLease: assign(({ event }) =>
      event.type === 'lease.taken'
        ? { term: event.term, wasActive: event.wasActive, leader: undefined }
        : {},
    ),
    noteRedisLost: assign({ isRedisLost: true }),
    noteRedisAnswered: assign({ isRedisLost: false }),
    noteUnreachable: assign({ isFleetUnreachable: true }),
    forgetUnreachable: assign({ isFleetUnreachable: false }),
    noteShutdown: assign({ isShuttingDown: true }),
  },
});
