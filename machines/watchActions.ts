import { assertEvent } from 'xstate';
import { activationSetup } from './activationSetup.js';

const { enqueueActions } = activationSetup;

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
};
