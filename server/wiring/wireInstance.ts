import type { Logger } from 'pino';
import { type ActorOptions, type AnyActorLogic, createActor, fromCallback } from 'xstate';
import { type InstanceActor, instanceMachine } from '../../machines/instanceMachine.js';
import type { ElectionRequest } from '../../machines/ports.js';
import type { roomMachine } from '../../machines/roomMachine.js';
import type { TallyLimits } from '../../machines/tally.js';
import type { Config } from '../config/config.js';
import type { Inspector } from '../inspection/inspector.js';
import type { perLeadership } from './perLeadership.js';
import { reportDefect } from './wireActivation.js';
import { roomTiming } from './wireRooms.js';

/** What the instance's machine needs from the rest of the service. */
export interface InstanceWiringNeeds {
  config: Config;
  log: Logger;
  limits: TallyLimits;
  activation: ReturnType<typeof perLeadership>;
  room: typeof roomMachine;
  inspector: Inspector | undefined;
  clock: ActorOptions<AnyActorLogic>['clock'] | undefined;
}

/** Fills the slots of the instance's machine and creates its actor, the root of all. It is not started yet. */
export function wireInstance(needs: InstanceWiringNeeds): InstanceActor {
  const { config, log, limits, activation, room, inspector, clock } = needs;
  const nothing = () => {};
  const machine = instanceMachine.provide({
    // Without a cluster nobody is elected.
    actors: { activation, room, election: fromCallback<ElectionRequest>(nothing) },
    actions: {
      reportDefect: (args) => reportDefect(args, log),
      publishRole: nothing,
      holdRequests: nothing,
      resumeRequests: nothing,
      closeFleet: nothing,
    },
    guards: { hasSuccessor: () => false },
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
    input: { timing, servers: config.pubSubServers, limits, isInCluster: false },
    ...(inspector && { inspect: inspector.observe }),
    ...(clock && { clock }),
  });
}
