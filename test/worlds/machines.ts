import { type ActorSystem, fromCallback } from 'xstate';
import { activationMachine } from '../../machines/activationMachine.js';
import type { DiscoveryRequest, ServerId, ServerRequest } from '../../machines/ports.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { Bug } from './bug.js';
import type { SimulatedService } from './simulatedService.js';

/** The machines of the service with slots that act in the world of whoever runs them. */
export interface Machines {
  readonly activation: typeof activationMachine;
  readonly pubSubServer: typeof pubSubServerMachine;
}

// biome-ignore lint/suspicious/noExplicitAny: whose actors they are is looked up by the system alone.
type AnySystem = ActorSystem<any>;

/** Whose an actor system is: slots are filled once, not for each of many thousand runs. */
export const residents = new WeakMap<AnySystem, SimulatedService>();

function residentOf(system: AnySystem): SimulatedService {
  const service = residents.get(system);
  if (!service) throw new Error('this system is nobody’s');
  return service;
}

const serverRequests = fromCallback<ServerRequest, { server: ServerId }>(
  ({ input: { server }, receive, sendBack, system }) => {
    const { requests } = residentOf(system);
    receive((request) => requests.send(server, request, sendBack));
    return () => requests.abandon(server);
  },
);

const discovery = fromCallback<DiscoveryRequest>(({ receive, sendBack, system }) => {
  const rounds = residentOf(system).discover(sendBack);
  receive((request) => rounds.take(request));
  return () => rounds.stop();
});

/** Fills the slots; with a bug, in the machines as the bug spoils them. */
export function makeMachines(bug?: Bug): Machines {
  const chart = bug?.pubSubServer?.(pubSubServerMachine) ?? pubSubServerMachine;
  const pubSubServer = chart.provide({ actors: { serverRequests } });
  const root = bug?.activation?.(activationMachine) ?? activationMachine;
  const activation = root.provide({
    actors: { pubSubServer, discovery },
    actions: {
      publish: ({ system }) => residentOf(system).publish(),
      restartFeed: ({ system }) => residentOf(system).feed.restart(),
      reportDefect: ({ event, system }) => residentOf(system).noteDefect(event),
    },
  });
  return { activation, pubSubServer };
}
