import { type AnyStateMachine, StateMachine } from 'xstate';
import type { ActivationActor, activationMachine } from '../../machines/activationMachine.js';
import type { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { TokenClaims } from '../../server/pubsub/eventTokens.js';
import type { SimulatedService } from './simulatedService.js';

type Root = typeof activationMachine;
type PubSubServer = typeof pubSubServerMachine;
/** What the root holds. */
export type Held = ReturnType<ActivationActor['getSnapshot']>['context'];

/** A mistake that somebody could make, to see whether the worlds find it. */
export interface Bug {
  /** How the promise begins by which it is found. */
  readonly breaks: string;
  /** Changes the methods of what each run of the service holds by reference. */
  readonly spoil?: (held: Held) => void;
  readonly activation?: (machine: Root) => Root;
  readonly pubSubServer?: (machine: PubSubServer) => PubSubServer;
  /** Answers that come after their deadline are taken all the same. */
  readonly takesLateAnswers?: boolean;
  /** Whom a post without a token is taken to come from. */
  readonly believes?: (service: SimulatedService, address: string) => TokenClaims | undefined;
}

/** The machine with one part of its chart changed. */
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
