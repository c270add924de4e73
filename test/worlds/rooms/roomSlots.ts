import { type ActorSystem, type EventObject, fromCallback } from 'xstate';
import type { RoomDocumentCommand, RoomName, RoomSourceRequest } from '../../../machines/ports.js';
import { roomMachine } from '../../../machines/roomMachine.js';
import type { RoomWorld } from './roomWorld.js';

// biome-ignore lint/suspicious/noExplicitAny: whose actors they are is looked up by the system alone.
type AnySystem = ActorSystem<any>;
type Input = { room: RoomName };

/** The world that an actor system is in. */
export const residents = new WeakMap<AnySystem, RoomWorld>();

function worldOf(system: AnySystem): RoomWorld {
  const world = residents.get(system);
  if (!world) throw new Error('this system is nobody’s');
  return world;
}

/** The machine of a room with slots that act in the world of whoever runs it. */
export const simulatedRoom = roomMachine.provide({
  actors: {
    roomChannel: fromCallback<EventObject, Input>(({ sendBack, system }) =>
      worldOf(system).openChannel(sendBack),
    ),
    roomSources: fromCallback<RoomSourceRequest, Input>(({ receive, sendBack, system }) =>
      receive((request) => worldOf(system).ask(request, sendBack)),
    ),
    roomDocument: fromCallback<RoomDocumentCommand, Input>(({ receive, sendBack, system }) =>
      receive(worldOf(system).openDocument(sendBack)),
    ),
  },
  actions: {
    publishStanding: ({ system }, { standing }) => worldOf(system).publishStanding(standing),
    publishChannel: ({ system }, { channel }) => worldOf(system).publishChannel(channel),
  },
});
