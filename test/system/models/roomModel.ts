import { assign, type EventObject, enqueueActions, type SnapshotFrom } from 'xstate';
import type { RoomStanding } from '../../../machines/ports.js';
import { roomMachine } from '../../../machines/roomMachine.js';
import { modelOf } from './modelOf.js';

/** What the model knows of what is around the machine of a room. */
interface Facts {
  /** Nothing tells of updates, ever. */
  isWithoutChannel: boolean;
  /** An update waits for one that will not come: any further one would be refused as well. */
  hasGap: boolean;
  /** The server answered with a state, with one that has what nobody published, or with what is none. */
  answer: 'state' | 'news' | 'garbage' | undefined;
  /** The server held the room in the round before: what is new there is newer than that. */
  wasHeld: boolean;
}

/** What a server answers, or how many servers may hold the room, is part of what happens. */
export interface RoomModelEvent extends EventObject {
  servers?: readonly string[];
  holders?: number;
  failures?: number;
  isReadable?: boolean;
  /** Whether a state has what nobody published. */
  isNew?: boolean;
}

type Model = typeof roomMachine;
export type RoomSnapshot = SnapshotFrom<Model>;
type Context = RoomSnapshot['context'] & Facts;

const factsAtFirst: Facts = {
  isWithoutChannel: false,
  hasGap: false,
  answer: undefined,
  wasHeld: false,
};
const factsOf = ({ context }: RoomSnapshot): Context => ({ ...factsAtFirst, ...context });
// Facts are no part of the machine's own context.
const know = (facts: Partial<Facts>) => assign(facts as object) as never;
const nothing = () => {};

/** The model of a room: the same chart, with its channel, its servers and its clock made events. */
export const roomModel = modelOf(roomMachine).provide({
  actions: {
    publishStanding: nothing,
    publishChannel: nothing,
    beginChannel: nothing,
    requestLocation: nothing,
    requestStates: nothing,
    countBytes: nothing,
    applyUpdate: nothing,
    // One server is asked, and its state is the last that the round waits for.
    mergeState: enqueueActions(({ enqueue, event }) => {
      const { isReadable, isNew } = event as RoomModelEvent;
      const state = isNew ? 'news' : 'state';
      enqueue(know({ answer: isReadable ? state : 'garbage' }));
      enqueue.raise({ type: 'states.completed', holders: 1, failures: 0 });
    }),
    endRound: enqueueActions(({ enqueue, context }) => {
      const { answer } = context as Context;
      const isRead = answer === 'state' || answer === 'news';
      enqueue(know({ answer: undefined, hasGap: false, wasHeld: isRead }));
      if (answer === 'news') enqueue.raise({ type: 'changes.undelivered' });
      enqueue.raise({
        type: 'round.merged',
        read: isRead ? 1 : 0,
        unreadable: answer === 'garbage' ? 1 : 0,
      });
    }),
    demandRound: assign(({ context, event: { type } }) => ({
      isRoundDue: true,
      isWithoutChannel: (context as Context).isWithoutChannel || type === 'channel.missing',
      hasGap: (context as Context).hasGap ? type !== 'document.lost' : type === 'update.refused',
      wasHeld: (context as Context).wasHeld && type !== 'document.lost',
    })) as never,
  },
});

export const roomInput = {
  room: 'r',
  timing: { subscribingMs: 1, checkMs: 1, pollMs: 1 },
};

/** States that are the same to what can happen next. */
export function roomKeyOf(snapshot: RoomSnapshot): string {
  const { isRoundDue, isWithoutChannel, hasGap, wasHeld, followedRounds } = factsOf(snapshot);
  const facts = [isRoundDue, isWithoutChannel, hasGap, wasHeld, followedRounds];
  return JSON.stringify([snapshot.value, ...facts]);
}

/** What viewers are told in a state. */
export function standingOf({ value: { standing } }: RoomSnapshot): RoomStanding {
  return typeof standing === 'string' ? standing : standing.known;
}

const delays = ['subscribingMs', 'pauseMs', 'checkMs', 'pollMs', 'waitMs', 'graceMs'];

/** What can really happen next, one happening after the other. */
export function roomEventsAt(snapshot: RoomSnapshot): RoomModelEvent[] {
  const { isWithoutChannel, isRoundDue, hasGap, wasHeld, followedRounds } = factsOf(snapshot);
  const { channel, round } = snapshot.value;
  const isSubscribed = snapshot.matches({ channel: 'subscribed' });
  const isFollowing = isSubscribed && !hasGap;
  const isKnown = snapshot.matches({ standing: 'known' });
  const isJudged = isKnown && wasHeld && followedRounds === 2 && !hasGap;
  const isAtFirst = channel === 'subscribing' && round === 'resting' && !isRoundDue;
  const isOffered: [boolean, RoomModelEvent][] = [
    [!isSubscribed && !isWithoutChannel, { type: 'channel.subscribed' }],
    [isSubscribed, { type: 'channel.lost' }],
    // It is said at the very beginning or never.
    [isAtFirst, { type: 'channel.missing' }],
    [isFollowing, { type: 'update.received' }],
    // Before anything is known updates are held back.
    [isFollowing && isKnown, { type: 'update.refused' }],
    [isFollowing && isKnown, { type: 'changes.delivered' }],
    [true, { type: 'document.lost' }],
    [round === 'locating', { type: 'servers.located', servers: [] }],
    [round === 'locating', { type: 'servers.located', servers: ['127.0.0.1:1'] }],
    [round === 'collecting', { type: 'states.completed', holders: 0, failures: 1 }],
    [round === 'collecting', { type: 'state.received', isReadable: true }],
    [round === 'collecting', { type: 'state.received', isReadable: false }],
    [round === 'collecting' && isJudged, { type: 'state.received', isReadable: true, isNew: true }],
    [round === 'collecting', { type: 'states.completed', holders: 0, failures: 0 }],
    ...delays.map((delay): [boolean, RoomModelEvent] => [true, { type: `after.${delay}` }]),
  ];
  return isOffered
    .filter(([isPossible, event]) => isPossible && snapshot.can(event as never))
    .map(([, event]) => event);
}

/** What happens, in a few words. */
export function nameOf({ type, servers, failures, isReadable, isNew }: RoomModelEvent): string {
  if (isReadable === false) return `${type} unreadable`;
  if (isNew) return `${type} with news`;
  if (servers) return servers.length > 0 ? type : `${type} nowhere`;
  if (failures === undefined) return type;
  return `${type} with ${failures > 0 ? 'a failure' : 'a denial'}`;
}
