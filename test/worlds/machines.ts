import { type ActorSystem, fromCallback } from 'xstate';
import { activationMachine } from '../../machines/activationMachine.js';
import type { ActivationEvent } from '../../machines/activationSetup.js';
import type {
  DiscoveryRequest,
  ServerAnswer,
  ServerId,
  ServerRequest,
} from '../../machines/ports.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { Bug } from './bug.js';

/** The machines of the service. Their slots act in the world of the resident that runs them. */
export interface Machines {
  readonly activation: typeof activationMachine;
  readonly pubSubServer: typeof pubSubServerMachine;
}

// biome-ignore lint/suspicious/noExplicitAny: whose actors they are is looked up by the system alone.
type AnySystem = ActorSystem<any>;

/** What runs the machines in a world. Its methods are what their slots do. */
export interface Resident {
  readonly requests: {
    send(server: ServerId, request: ServerRequest, answer: (answer: ServerAnswer) => void): void;
    abandon(server: ServerId): void;
  };
  discover(tell: (event: ActivationEvent) => void): {
    take(request: DiscoveryRequest): void;
    stop(): void;
  };
  publish(): void;
  restartFeed(): void;
  noteDefect(event: { type: string }): void;
}

/** The resident of each actor system. Slots are filled once, not for each of many thousand runs. */
export const residents = new WeakMap<AnySystem, Resident>();

function residentOf(system: AnySystem): Resident {
  const resident = residents.get(system);
  if (!resident) throw new Error('this system is nobody’s');
  return resident;
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
export function makeMachines(bug?: Pick<Bug, 'activation' | 'pubSubServer'>): Machines {
  const chart = bug?.pubSubServer?.(pubSubServerMachine) ?? pubSubServerMachine;
  const pubSubServer = chart.provide({ actors: { serverRequests } });
  const root = bug?.activation?.(activationMachine) ?? activationMachine;
  const activation = root.provide({
    actors: { pubSubServer, discovery },
    actions: {
      publish: ({ system }) => residentOf(system).publish(),
      restartFeed: ({ system }) => residentOf(system).restartFeed(),
      reportDefect: ({ event, system }) => residentOf(system).noteDefect(event),
    },
  });
  return { activation, pubSubServer };
}
