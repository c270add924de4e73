import type { Logger } from 'pino';
import { activationMachine } from '../../machines/activationMachine.js';
import type { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import { createDiscovery, type Discovery } from '../discovery/discovery.js';

/** What the activation machine needs from the rest of the service. */
export interface ActivationWiringNeeds {
  log: Logger;
  pubSubServer: typeof pubSubServerMachine;
  discovery: Discovery;
  /** Something that viewers see changed. */
  publish: () => void;
  /** All counts were dropped. */
  restartFeed: () => void;
}

/** Fills the slots of the activation machine. */
export function wireActivation(needs: ActivationWiringNeeds): typeof activationMachine {
  const { log, pubSubServer, discovery, publish, restartFeed } = needs;
  return activationMachine.provide({
    actors: { pubSubServer, discovery: createDiscovery(discovery) },
    actions: { publish, restartFeed, reportDefect: (args) => reportDefect(args, log) },
  });
}

/** Logs that an actor threw. That is a bug in this service. */
export function reportDefect({ event }: { event: object }, log: Logger): void {
  if (!('actorId' in event && 'error' in event)) return;
  log.error({ err: event.error, actorId: event.actorId }, 'an actor failed');
}
