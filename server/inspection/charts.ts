import type { AnyStateMachine } from 'xstate';
import { activationMachine } from '../../machines/activationMachine.js';
import { instanceMachine } from '../../machines/instanceMachine.js';
import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import { roomMachine } from '../../machines/roomMachine.js';

/** All statecharts of the service, the root first. */
export const charts: readonly AnyStateMachine[] = [
  instanceMachine,
  activationMachine,
  pubSubServerMachine,
  roomMachine,
];
