import type { AnyStateMachine } from 'xstate';
import { activationMachine } from '../../machines/activationMachine.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import { roomMachine } from '../../machines/roomMachine.js';

/** Every statechart of the service, the root first: what can be asked for, drawn and inspected. */
export const charts: readonly AnyStateMachine[] = [
  activationMachine,
  pubSubServerMachine,
  roomMachine,
];
