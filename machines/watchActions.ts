import { assertEvent } from 'xstate';
import { instanceSetup } from './instanceSetup.js';
import type { RoomName } from './ports.js';
import { hasFailed, replacementMs } from './replacement.js';

const { enqueueActions } = instanceSetup;

/** The room that an actor is for. Its id starts with its kind, because a room may be named like a server. */
const roomOf = (actorId: string): RoomName | undefined =>
  actorId.startsWith('room:') ? actorId.slice('room:'.length) : undefined;

/** Actions about watched rooms: each has an actor while somebody watches it, and for the linger time after. */
export const watchActions = {
  watchRoom: enqueueActions(({ context: { rooms, timing }, event, enqueue }) => {
    assertEvent(event, 'room.watched');
    const { room } = event;
    const watched = rooms.get(room);
    enqueue.cancel(`room:${room}`);
    if (watched) {
      watched.viewers += 1;
      return;
    }
    enqueue.assign(({ spawn }) => {
      const input = { room, timing: timing.room };
      rooms.add(room, spawn('room', { id: `room:${room}`, input }), 1);
      return {};
    });
  }),
  unwatchRoom: enqueueActions(({ context: { rooms }, event, enqueue }) => {
    assertEvent(event, 'room.unwatched');
    const { room } = event;
    const watched = rooms.get(room);
    if (!watched) return;
    watched.viewers -= 1;
    if (watched.viewers > 0) return;
    enqueue.raise({ type: 'room.expired', room }, { id: `room:${room}`, delay: 'lingerMs' });
  }),
  stopRoom: enqueueActions(({ context: { rooms }, event, enqueue }) => {
    assertEvent(event, 'room.expired');
    const watched = rooms.get(event.room);
    rooms.remove(event.room);
    if (watched) enqueue.stopChild(watched.ref);
  }),
  /** The actor of a room threw. It is replaced after a pause. */
  planReplacement: enqueueActions(({ event, enqueue }) => {
    if (!('actorId' in event)) return;
    const { actorId } = event;
    // Without an id, XState draws a random one: a simulated world would not be the same each time.
    const timer = { id: `replacement:${actorId}`, delay: replacementMs };
    enqueue.raise({ type: 'replacement.due', actorId }, timer);
  }),
  replaceRoom: enqueueActions(({ context: { rooms }, event, enqueue }) => {
    assertEvent(event, 'replacement.due');
    const room = roomOf(event.actorId);
    const watched = room === undefined ? undefined : rooms.get(room);
    if (room === undefined || !hasFailed(watched)) return;
    enqueue.raise({ type: 'room.expired', room });
    for (let i = 0; i < watched.viewers; i += 1) enqueue.raise({ type: 'room.watched', room });
  }),
};
