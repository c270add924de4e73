import { type ActivationActor, activationMachine } from '../../machines/activationMachine.js';
import type { ActivationInput } from '../../machines/activationSetup.js';

type ActivationLogic = typeof activationMachine;

/** The event that ends an actor. */
const stop: string = 'xstate.stop';

/** What one leadership brings. */
export interface Opening {
  /** The machine with its slots filled for this leadership. */
  machine: ActivationLogic;
  /** Called before the machine's first action. Its actor has a snapshot then. */
  begin: () => void;
}

/**
 * Fills the slot `activation` of the instance's machine: each actor in it gets slots of its own, so nothing
 * leaks from one leadership into the next. XState starts an actor in two steps, and asks its logic for each.
 */
export function perLeadership(
  open: (actor: ActivationActor, input: ActivationInput) => Opening,
): ActivationLogic {
  let begin = () => {};
  const steps: Pick<ActivationLogic, 'getInitialSnapshot' | 'start' | 'transition'> = {
    getInitialSnapshot(scope, input) {
      const opening = open(scope.self as ActivationActor, input as ActivationInput);
      begin = opening.begin;
      // A snapshot refers to its machine, which takes all transitions from here.
      return opening.machine.getInitialSnapshot(scope, input);
    },
    start(snapshot) {
      begin();
      snapshot.machine.start(snapshot);
    },
    transition(snapshot, event, scope) {
      if (event.type !== stop) return snapshot.machine.transition(snapshot, event, scope);
      // XState copies all children for each that it stops: a thousand servers would block the event loop for 2 s.
      for (const child of Object.values(snapshot.children)) if (child) scope.stopChild(child);
      return snapshot.machine.transition({ ...snapshot, children: {} }, event, scope);
    },
  };
  return Object.assign(Object.create(activationMachine), steps);
}
