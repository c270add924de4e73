import { assertEvent, assign, type EventObject, fromCallback, sendTo, setup } from 'xstate';
import type {
  RoomChannelEvent,
  RoomChannelStanding,
  RoomDocumentCommand,
  RoomDocumentEvent,
  RoomName,
  RoomSourceAnswer,
  RoomSourceRequest,
  RoomStanding,
  RoomTiming,
} from './ports.js';
import { emptySlot } from './slots.js';

export type RoomEvent = RoomChannelEvent | RoomSourceAnswer | RoomDocumentEvent;

export interface RoomInput {
  readonly room: RoomName;
  readonly timing: RoomTiming;
}

interface Context extends RoomInput {
  /** Whether the channel is subscribed. No update is missed after the next round. */
  isSubscribed: boolean;
  /** Whether it is subscribed, but does not bring what the servers have. */
  isSilent: boolean;
  /** Rounds that began since it was subscribed. Counted up to two. */
  followedRounds: number;
  isRoundDue: boolean;
  /** In the last round: servers that sent a state, and servers that did not say whether they hold the room. */
  holders: number;
  failures: number;
  /** Bytes of all states of the last round. Big rooms are requested less often. */
  bytes: number;
}

/** Between rounds while no server has the room. */
const waitMs = 2000;
/** How long the channel may take to bring an update that a round has found. */
const graceMs = 1500;
/** The shortest pause between two rounds. */
const pauseMs = 250;
/** The load that rounds may put on the servers of a room. */
const maxBytesPerMs = 1000;
/** The longest pause. A timer of more than 2^31 - 1 ms would fire at once. */
const maxPauseMs = 10 * 60_000;

/** The pause after a round of this many bytes. */
const pauseAfter = (bytes: number, leastMs: number) =>
  Math.max(leastMs, Math.min(bytes / maxBytesPerMs, maxPauseMs));

/** Events, slots, guards, delays and actions of `roomMachine.ts`. */
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
    /** Servers sent states, and none of them could be read. */
    isUnreadable: ({ event }) =>
      event.type === 'round.merged' && event.read === 0 && event.unreadable > 0,
    /** Every server said that it does not hold the room. */
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
    /** Slot: tells the room's viewers its state. */
    publishStanding: (_, _params: { standing: RoomStanding }) => emptySlot('publishStanding')(),

    /** Slot: tells the room's viewers the state of its channel. */
    publishChannel: (_, _params: { channel: RoomChannelStanding }) => emptySlot('publishChannel')(),

    demandRound: assign({ isRoundDue: true }),
    markSubscribed: assign({ isSubscribed: true }),
    markUnsubscribed: assign({ isSubscribed: false, followedRounds: 0 }),
    /** The next rounds find again what the channel brought to the lost document. */
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
    requestStates: sendTo('roomSources', ({ event }) => {
      assertEvent(event, 'servers.located');
      return { type: 'states.requested' as const, servers: event.servers };
    }),
    noteHolders: assign(({ event }) => {
      assertEvent(event, 'states.completed');
      const { holders, failures } = event;
      return { holders, failures };
    }),
    countBytes: assign(({ context, event }) => {
      assertEvent(event, 'state.received');
      return { bytes: context.bytes + event.state.length };
    }),
    mergeState: sendTo('roomDocument', ({ event }): RoomDocumentCommand => {
      assertEvent(event, 'state.received');
      return { type: 'state.merged', server: event.server, state: event.state };
    }),
    endRound: sendTo('roomDocument', ({ context }) => ({
      type: 'round.ended' as const,
      isJudged: context.followedRounds === 2,
    })),
    beginChannel: sendTo('roomDocument', { type: 'channel.begun' as const }),
    applyUpdate: sendTo('roomDocument', ({ event }): RoomDocumentCommand => {
      assertEvent(event, 'update.received');
      return { type: 'update.applied', update: event.update };
    }),
  },
});
