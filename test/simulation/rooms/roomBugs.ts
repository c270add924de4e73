import type { roomMachine } from '../../../machines/roomMachine.js';
import { change } from '../bugs.js';

type Room = typeof roomMachine;

const standing = (...names: string[]) => [
  'states',
  'standing',
  ...names.flatMap((name) => ['states', name]),
];

/** Mistakes that somebody could make with a watched room, by what they do. */
export const roomBugs: Readonly<Record<string, (machine: Room) => Room>> = {
  'a live room is not looked after': (machine) =>
    change(machine, [...standing('known', 'live'), 'after'], () => ({})),
  'a room without a channel is not polled': (machine) =>
    change(machine, [...standing('known', 'polling'), 'after'], () => ({})),
  'a room that nobody had is not looked for again': (machine) =>
    change(machine, [...standing('waiting'), 'after'], () => ({})),
  'states are not merged': (machine) => machine.provide({ actions: { mergeState: () => {} } }),
  'a room is live whatever becomes of its channel': (machine) =>
    machine.provide({
      guards: { isFollowed: ({ event }) => event.type === 'states.completed' && event.holders > 0 },
    }),
  'a second round begins beside the first': (machine) =>
    change(
      machine,
      ['states', 'round', 'states', 'collecting', 'on', 'update.received'],
      () => 'locating',
    ),
  'a round follows at once': (machine) => machine.provide({ delays: { pauseMs: 0 } }),
};
