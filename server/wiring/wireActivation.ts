import type { Logger } from 'pino';
import { type ActorOptions, type AnyActorLogic, createActor } from 'xstate';
import { type ActivationActor, activationMachine } from '../../machines/activationMachine.js';
import type { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { roomMachine } from '../../machines/roomMachine.js';
import type { TallyLimits } from '../../machines/tally.js';
import type { Config } from '../config/config.js';
import { createDiscovery, type Discovery } from '../discovery/discovery.js';
import type { Inspector } from '../inspection/inspector.js';
import { roomTiming } from './wireRooms.js';

/** What the activation machine needs from the rest of the service. */
export interface ActivationWiringNeeds {
  config: Config;
  log: Logger;
  limits: TallyLimits;
  pubSubServer: typeof pubSubServerMachine;
  discovery: Discovery;
  room: typeof roomMachine;
  /** Something that viewers see changed. */
  publish: () => void;
  /** All counts were dropped. */
  restartFeed: () => void;
  inspector: Inspector | undefined;
  clock: ActorOptions<AnyActorLogic>['clock'] | undefined;
}

/** Fills the slots of the activation machine and creates its actor, which is not started yet. */
export function wireActivation(needs: ActivationWiringNeeds): ActivationActor {
  const { config, log, limits, pubSubServer, discovery, room, publish, restartFeed } = needs;
  const { inspector, clock } = needs;
  const machine = activationMachine.provide({
    actors: { pubSubServer, discovery: createDiscovery(discovery), room },
    actions: {
      publish,
      restartFeed,
      reportDefect: ({ event }) => {
        if (!('actorId' in event && 'error' in event)) return;
        log.error({ err: event.error, actorId: event.actorId }, 'an actor failed');
      },
    },
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
    input: { timing, servers: config.pubSubServers, limits },
    ...(inspector && { inspect: inspector.observe }),
    ...(clock && { clock }),
  });
}
