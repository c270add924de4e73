import { assign, type EventObject, fromCallback, sendTo, setup } from 'xstate';
import type {
  RoomChannelEvent,
  RoomDocumentCommand,
  RoomDocumentEvent,
  RoomName,
  RoomSourceAnswer,
  RoomSourceRequest,
  RoomTiming,
} from './ports.js';
import { emptySlot } from './slots.js';

export type RoomEvent = RoomChannelEvent | RoomSourceAnswer | RoomDocumentEvent;

/** What a room is to its viewers; the states of the region `standing`. */
export type RoomStanding =
  | 'locating'
  | 'merging'
  | 'live'
  | 'polling'
  | 'unreadable'
  | 'waiting'
  | 'gone';

/**
 * What is known of the channel by which updates of a room come. `none`: there is nothing to subscribe to.
 * `subscribed`: nothing new has come by it yet. `followed`: what is new comes by it. `silent`: servers have
 * what it did not bring.
 */
export type RoomChannelStanding =
  | 'none'
  | 'connecting'
  | 'subscribed'
  | 'followed'
  | 'silent'
  | 'lost';

export interface RoomInput {
  readonly room: RoomName;
  readonly timing: RoomTiming;
}

interface Context extends RoomInput {
  /** Whether updates come by the channel: none is missed since the round that began after that. */
  isSubscribed: boolean;
  /** Whether it is subscribed and does not bring what the servers have. */
  isSilent: boolean;
  /** Rounds that began since it is subscribed; two are as good as many. */
  followedRounds: number;
  isRoundDue: boolean;
  /** Servers that sent a state in the last round, and servers that did not say whether they hold the room. */
  holders: number;
  failures: number;
  /** Bytes of all states of the last round: big rooms are asked for slowly. */
  bytes: number;
}

/** Between rounds while no server has the room. */
const waitMs = 2000;
/** How long an update that a round found may still come by the channel. */
const graceMs = 1500;
/** At least between two rounds. */
const pauseMs = 250;
/** What rounds may cost the servers of one room. */
const maxBytesPerMs = 1000;
/** The longest pause that states of many servers lead to: over 2^31 - 1 ms a timer would fire at once. */
const maxPauseMs = 10 * 60_000;

/** The pause after a round of so many bytes. */
const pauseAfter = (bytes: number, leastMs: number) =>
  Math.max(leastMs, Math.min(bytes / maxBytesPerMs, maxPauseMs));

/** What the chart of `roomMachine.ts` names: its events, guards, delays, actions and slots. */
export const roomSetup = setup({
  types: {
    context: {} as Context,
    events: {} as RoomEvent,
    input: {} as RoomInput,
  },
  actors: {
    roomChannel: fromCallback<EventObject, { room: RoomName }>(emptySlot('roomChannel')),
    roomSources: fromCallback<RoomSourceRequest, { room: RoomName }>(emptySlot('roomSources')),
    roomDocument: fromCallback<RoomDocumentCommand, { room: RoomName }>(emptySlot('roomDocument')),
  },
  guards: {
    isRoundDue: ({ context }) => context.isRoundDue,
    isNowhere: ({ event }) => event.type === 'servers.located' && event.servers.length === 0,
    isSilent: ({ context }) => context.isSilent,
    isFollowed: ({ context: { isSubscribed, isSilent, isRoundDue }, event }) =>
      event.type === 'round.merged' && event.read > 0 && isSubscribed && !isSilent && !isRoundDue,
    isRead: ({ event }) => event.type === 'round.merged' && event.read > 0,
    /** Servers sent states, and not one of them could be read. */
    isUnreadable: ({ event }) =>
      event.type === 'round.merged' && event.read === 0 && event.unreadable > 0,
    /** Every server that was asked said that it does not hold the room. */
    isHeldByNobody: ({ context: { holders, failures } }) => holders === 0 && failures === 0,
  },
  delays: {
    subscribingMs: ({ context }) => context.timing.subscribingMs,
    checkMs: ({ context: { timing, bytes } }) => pauseAfter(bytes, timing.checkMs),
    pollMs: ({ context: { timing, bytes } }) => pauseAfter(bytes, timing.pollMs),
    pauseMs: ({ context: { bytes } }) => pauseAfter(bytes, pauseMs),
    waitMs,
    graceMs,
  },
  actions: {
    /** Slot: viewers of the room are to know how it stands. */
    publishStanding: (_, _params: { standing: RoomStanding }) => emptySlot('publishStanding')(),

    /** Slot: viewers of the room are to know what its channel is good for. */
    publishChannel: (_, _params: { channel: RoomChannelStanding }) => emptySlot('publishChannel')(),

    demandRound: assign({ isRoundDue: true }),
    markSubscribed: assign({ isSubscribed: true }),
    markUnsubscribed: assign({ isSubscribed: false, followedRounds: 0 }),
    /** The channel may have brought to the lost document what the next rounds find. */
    forgetRounds: assign({ followedRounds: 0 }),
    markSilent: assign({ isSilent: true }),
    unmarkSilent: assign({ isSilent: false }),
    beginRound: assign({
      isRoundDue: false,
      bytes: 0,
      holders: 0,
      failures: 0,
      followedRounds: ({ context: { isSubscribed, followedRounds } }) =>
        isSubscribed ? Math.min(2, followedRounds + 1) : 0,
    }),
    requestLocation: sendTo('roomSources', { type: 'location.requested' as const }),
    requestStates: sendTo('roomSources', ({ event }) => ({
      type: 'states.requested' as const,
      servers: event.type === 'servers.located' ? event.servers : [],
    })),
    noteHolders: assign(({ context, event }) => {
      const { holders, failures } = event.type === 'states.completed' ? event : context;
      return { holders, failures };
    }),
    countBytes: assign({
      bytes: ({ context: { bytes }, event }) =>
        event.type === 'state.received' ? bytes + event.state.length : bytes,
    }),
    mergeState: sendTo('roomDocument', ({ event }): RoomDocumentCommand => {
      if (event.type !== 'state.received') return { type: 'round.ended', isJudged: false };
      return { type: 'state.merged', server: event.server, state: event.state };
    }),
    endRound: sendTo('roomDocument', ({ context }) => ({
      type: 'round.ended' as const,
      isJudged: context.followedRounds === 2,
    })),
    beginChannel: sendTo('roomDocument', { type: 'channel.begun' as const }),
    applyUpdate: sendTo('roomDocument', ({ event }): RoomDocumentCommand => {
      if (event.type !== 'update.received') return { type: 'round.ended', isJudged: false };
      return { type: 'update.applied', update: event.update };
    }),
  },
});
