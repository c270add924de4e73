import { type ActorSystem, type EventObject, fromCallback } from 'xstate';
import { activationMachine } from '../../../machines/activationMachine.js';
import { instanceMachine } from '../../../machines/instanceMachine.js';
import type {
  DiscoveryRequest,
  ElectionRequest,
  RoomDocumentCommand,
  RoomName,
  RoomSourceRequest,
  ServerId,
  ServerRequest,
  Timing,
} from '../../../machines/ports.js';
import { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import { roomMachine } from '../../../machines/roomMachine.js';
import { perLeadership } from '../../../server/wiring/perLeadership.js';
import type { InstancesBug } from './instancesBug.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** The machines of an instance with slots that act in the world of whoever runs them. */
export interface InstanceMachines {
  readonly instance: typeof instanceMachine;
  readonly activation: typeof activationMachine;
  readonly pubSubServer: typeof pubSubServerMachine;
}

// biome-ignore lint/suspicious/noExplicitAny: whose actors they are is looked up by the system alone.
type AnySystem = ActorSystem<any>;

/** Whose an actor system is: slots are filled once, not for each of many thousand processes. */
export const instanceOf = new WeakMap<AnySystem, SimulatedInstance>();

/** Whose a context is, by its timing: guards do not know their system. */
export const ownerOf = new WeakMap<Timing, SimulatedInstance>();

function residentOf(system: AnySystem): SimulatedInstance {
  const instance = instanceOf.get(system);
  if (!instance) throw new Error('this system is nobody’s');
  return instance;
}

const serverRequests = fromCallback<ServerRequest, { server: ServerId }>(
  ({ input: { server }, receive, sendBack, system }) => {
    const requests = residentOf(system).requests;
    receive((request) => requests.send(server, request, sendBack));
    return () => requests.abandon(server);
  },
);

const discovery = fromCallback<DiscoveryRequest>(({ receive, sendBack, system }) => {
  const rounds = residentOf(system).discover(sendBack);
  receive((request) => rounds.take(request));
  return () => rounds.stop();
});

const election = fromCallback<ElectionRequest>((slot) => residentOf(slot.system).elect(slot));

/** Rooms are watched in worlds of their own. */
const room = roomMachine.provide({
  actors: {
    roomChannel: fromCallback<EventObject, { room: RoomName }>(() => {}),
    roomSources: fromCallback<RoomSourceRequest, { room: RoomName }>(() => {}),
    roomDocument: fromCallback<RoomDocumentCommand, { room: RoomName }>(() => {}),
  },
  actions: { publishStanding: () => {}, publishChannel: () => {} },
});

/** Fills the slots; with a bug, in the machines as the bug spoils them. */
export function makeInstanceMachines(bug?: InstancesBug): InstanceMachines {
  const chart = bug?.pubSubServer?.(pubSubServerMachine) ?? pubSubServerMachine;
  const pubSubServer = chart.provide({ actors: { serverRequests } });
  const spoilt = bug?.activation?.(activationMachine) ?? activationMachine;
  const activation = spoilt.provide({
    actors: { pubSubServer, discovery },
    actions: {
      publish: ({ system }) => residentOf(system).publish(),
      restartFeed: ({ system }) => residentOf(system).restartFeed(),
      reportDefect: ({ event, system }) => residentOf(system).noteDefect(event),
    },
  });
  const root = bug?.instance?.(instanceMachine) ?? instanceMachine;
  const instance = root.provide({
    actors: {
      activation: perLeadership((actor, input) => ({
        machine: activation,
        begin: () => residentOf(actor.system).beginFleet(actor, input),
      })),
      election,
      room,
    },
    guards: { hasSuccessor: ({ context }) => ownerOf.get(context.timing)?.hasSuccessor === true },
    actions: {
      publishRole: ({ context, system }) => residentOf(system).publishRole(context),
      holdRequests: ({ system }) => residentOf(system).holdRequests(),
      resumeRequests: ({ system }) => residentOf(system).resumeRequests(),
      closeFleet: ({ system }) => residentOf(system).closeFleet(),
      reportDefect: ({ event, system }) => residentOf(system).noteDefect(event),
    },
  });
  return { instance, activation, pubSubServer };
}
