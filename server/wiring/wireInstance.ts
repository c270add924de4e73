import type { Logger } from 'pino';
import { type ActorOptions, type AnyActorLogic, createActor, fromCallback } from 'xstate';
import { type InstanceActor, instanceMachine } from '../../machines/instanceMachine.js';
import type { ElectionRequest } from '../../machines/ports.js';
import type { roomMachine } from '../../machines/roomMachine.js';
import type { Config } from '../config/config.js';
import type { Inspector } from '../inspection/inspector.js';
import type { perLeadership } from './perLeadership.js';
import { reportDefect } from './wireActivation.js';
import type { ClusterParts } from './wireCluster.js';
import type { Leadership } from './wireLeadership.js';
import { limitsOf } from './wirePubSub.js';
import { roomTiming } from './wireRooms.js';

/** What the instance's machine needs from the rest of the service. */
export interface InstanceWiringNeeds {
  config: Config;
  log: Logger;
  activation: ReturnType<typeof perLeadership>;
  room: typeof roomMachine;
  /** Undefined: this instance is alone. */
  cluster: ClusterParts | undefined;
  /** This instance no longer leads. */
  closeFleet: () => void;
  /** In a cluster the leadership of this instance, while it leads. */
  leadership: () => Leadership | undefined;
  inspector: Inspector | undefined;
  clock: ActorOptions<AnyActorLogic>['clock'] | undefined;
}

/** Fills the slots of the instance's machine and creates its actor, the root of all. It is not started yet. */
export function wireInstance(needs: InstanceWiringNeeds): InstanceActor {
  const { config, log, activation, room, cluster, closeFleet, leadership, inspector, clock } =
    needs;
  // Without a cluster nobody is elected.
  const election = cluster?.election ?? fromCallback<ElectionRequest>(() => {});
  const machine = instanceMachine.provide({
    actors: { activation, room, election },
    actions: {
      reportDefect: (args) => reportDefect(args, log),
      publishRole: ({ context }) => cluster?.publishRole(context),
      holdRequests: ({ self }) =>
        leadership()?.prepareHandingOver(() =>
          (self as InstanceActor).send({ type: 'requests.ended' }),
        ),
      resumeRequests: () => leadership()?.goOn(),
      closeFleet,
    },
    guards: { hasSuccessor: () => cluster?.hasSuccessor() ?? false },
  });
  // Only these fields: viewers can see the machine's context, and the configuration contains secrets.
  const { lingerMs, requestTimeoutMs, probeIntervalMs, resyncIntervalMs } = config;
  const timing = {
    lingerMs,
    requestTimeoutMs,
    probeIntervalMs,
    resyncIntervalMs,
    room: roomTiming,
  };
  return createActor(machine, {
    id: machine.id,
    input: {
      timing,
      servers: config.pubSubServers,
      limits: limitsOf(config),
      isInCluster: cluster !== undefined,
    },
    ...(inspector && { inspect: inspector.observe }),
    ...(clock && { clock }),
  });
}
