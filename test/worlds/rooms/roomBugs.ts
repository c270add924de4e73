import { sendTo } from 'xstate';
import type { roomMachine } from '../../../machines/roomMachine.js';
import { change } from '../bug.js';

type Room = typeof roomMachine;

const standing = (...names: string[]) => [
  'states',
  'standing',
  ...names.flatMap((name) => ['states', name]),
];

const subscribed = (name: string, part: string) => [
  'states',
  'channel',
  'states',
  'subscribed',
  'states',
  name,
  part,
];

/** A mistake that somebody could make with a watched room. */
export interface RoomBug {
  /** How the promise begins by which it is found. */
  readonly breaks: string;
  readonly room: (machine: Room) => Room;
}

/** Mistakes by what they do, none of them in the code of the service. */
export const roomBugs: Readonly<Record<string, RoomBug>> = {
  'a live room is not looked after': {
    breaks: '4: exact',
    room: (machine) => change(machine, [...standing('known', 'live'), 'after'], () => ({})),
  },
  'a room without a channel is not polled': {
    breaks: '4: exact',
    room: (machine) => change(machine, [...standing('known', 'polling'), 'after'], () => ({})),
  },
  'a room that nobody had is not looked for again': {
    breaks: '4: exact',
    room: (machine) => change(machine, [...standing('waiting'), 'after'], () => ({})),
  },
  'states are not merged': {
    breaks: '4: exact',
    room: (machine) => machine.provide({ actions: { mergeState: () => {} } }),
  },
  'a room is live whatever becomes of its channel': {
    breaks: '5: honest',
    room: (machine) =>
      machine.provide({
        guards: {
          isFollowed: ({ event }) => event.type === 'round.merged' && event.read > 0,
        },
      }),
  },
  'what the channel does not bring is passed over': {
    breaks: '5: honest',
    room: (machine) => change(machine, subscribed('doubted', 'after'), () => ({})),
  },
  'an update on its way is taken for one that does not come': {
    breaks: '5: honest',
    room: (machine) => machine.provide({ delays: { graceMs: 0 } }),
  },
  'every round is judged': {
    breaks: '5: honest',
    room: (machine) =>
      machine.provide({
        actions: {
          endRound: sendTo('roomDocument', { type: 'round.ended' as const, isJudged: true }),
        },
      }),
  },
  'a silent room is never live again': {
    breaks: '5: honest',
    room: (machine) => change(machine, subscribed('silent', 'on'), () => ({})),
  },
  'a second round begins beside the first': {
    breaks: 'one round at a time',
    room: (machine) =>
      change(
        machine,
        ['states', 'round', 'states', 'collecting', 'on', 'update.received'],
        () => 'locating',
      ),
  },
  'a round follows at once': {
    breaks: '8: unseen',
    room: (machine) => machine.provide({ delays: { pauseMs: 0 } }),
  },
};
