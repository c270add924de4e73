import { type AnyStateMachine, StateMachine } from 'xstate';
import type { ActivationActor, activationMachine } from '../../machines/activationMachine.js';
import type { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { TokenClaims } from '../../server/pubsub/eventTokens.js';
import type { SimulatedService } from './simulatedService.js';

type Root = typeof activationMachine;
type PubSubServer = typeof pubSubServerMachine;
/** The context of the root. */
export type Held = ReturnType<ActivationActor['getSnapshot']>['context'];

/** A deliberate bug, to see whether the worlds find it. */
export interface Bug {
  /** The beginning of the promise that it breaks. */
  readonly breaks: string;
  /** Replaces methods of the tally or the roster in each run of the service. */
  readonly spoil?: (held: Held) => void;
  readonly activation?: (machine: Root) => Root;
  readonly pubSubServer?: (machine: PubSubServer) => PubSubServer;
  /** Answers after their deadline are accepted. */
  readonly takesLateAnswers?: boolean;
  /** The claims that a post without a token is given. */
  readonly believes?: (service: SimulatedService, address: string) => TokenClaims | undefined;
}

/** The machine with one part of its chart replaced. */
export function change<M extends AnyStateMachine>(
  machine: M,
  path: readonly string[],
  replace: (part: unknown) => unknown,
): M {
  const config = changed(machine.config, path, replace) as M['config'];
  return new StateMachine(config, machine.implementations) as unknown as M;
}

function changed(
  part: unknown,
  [key, ...rest]: readonly string[],
  replace: (part: unknown) => unknown,
): unknown {
  if (key === undefined) return replace(part);
  const parts = (part ?? {}) as Record<string, unknown>;
  return { ...parts, [key]: changed(parts[key], rest, replace) };
}
