import type { AnyActorLogic } from 'xstate';
import type { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';

/** Has the slot of requests throw once, at the next request: a bug of this service, on purpose. */
export function breakNextRequest(pubSubServer: typeof pubSubServerMachine): void {
  const requests = pubSubServer.implementations.actors.serverRequests as AnyActorLogic;
  const { transition } = requests;
  requests.transition = () => {
    requests.transition = transition;
    throw new Error('a bug, on purpose');
  };
}
