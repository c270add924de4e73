import { type ActorSystem, type EventObject, fromCallback } from 'xstate';
import { instanceMachine } from '../../../machines/instanceMachine.js';
import type {
  ElectionRequest,
  RoomDocumentCommand,
  RoomName,
  RoomSourceRequest,
  Timing,
} from '../../../machines/ports.js';
import { roomMachine } from '../../../machines/roomMachine.js';
import { perLeadership } from '../../../server/wiring/perLeadership.js';
import { type Machines, makeMachines } from '../machines.js';
import type { InstancesBug } from './instancesBug.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** The machines of an instance. Their slots act in the world of the instance that runs them. */
export interface InstanceMachines extends Machines {
  readonly instance: typeof instanceMachine;
}

// biome-ignore lint/suspicious/noExplicitAny: whose actors they are is looked up by the system alone.
type AnySystem = ActorSystem<any>;

/** The instance of each actor system. Slots are filled once, not for each of many thousand processes. */
export const instances = new WeakMap<AnySystem, SimulatedInstance>();

/** The instance of each context, by the timing in it. Guards do not know their system. */
export const ownerOf = new WeakMap<Timing, SimulatedInstance>();

function instanceOf(system: AnySystem): SimulatedInstance {
  const instance = instances.get(system);
  if (!instance) throw new Error('this system is nobody’s');
  return instance;
}

const election = fromCallback<ElectionRequest>((slot) => instanceOf(slot.system).elect(slot));

/** Rooms are watched in worlds of their own. */
const room = roomMachine.provide({
  actors: {
    roomChannel: fromCallback<EventObject, { room: RoomName }>(() => {}),
    roomSources: fromCallback<RoomSourceRequest, { room: RoomName }>(() => {}),
    roomDocument: fromCallback<RoomDocumentCommand, { room: RoomName }>(() => {}),
  },
  actions: { publishStanding: () => {}, publishChannel: () => {} },
});

/** Fills the slots of the instance machine too; with a bug, in the machines as the bug spoils them. */
export function makeInstanceMachines(bug?: InstancesBug): InstanceMachines {
  const { activation, pubSubServer } = makeMachines(bug);
  const root = bug?.instance?.(instanceMachine) ?? instanceMachine;
  const instance = root.provide({
    actors: {
      activation: perLeadership((actor, input) => ({
        machine: activation,
        begin: () => instanceOf(actor.system).beginFleet(actor, input),
      })),
      election,
      room,
    },
    guards: { hasSuccessor: ({ context }) => ownerOf.get(context.timing)?.hasSuccessor === true },
    actions: {
      publishRole: ({ context, system }) => instanceOf(system).publishRole(context),
      holdRequests: ({ system }) => instanceOf(system).holdRequests(),
      resumeRequests: ({ system }) => instanceOf(system).resumeRequests(),
      closeFleet: ({ system }) => instanceOf(system).closeFleet(),
      reportDefect: ({ event, system }) => instanceOf(system).noteDefect(event),
    },
  });
  return { instance, activation, pubSubServer };
}
