import { type AnyStateMachine, StateMachine } from 'xstate';

type Part = Record<string, unknown>;

/** The event that stands for a delay of a model: nothing in a model happens by itself. */
const afterEvent = (delay: string) => `after.${delay}`;

/**
 * The machine as a model of itself: what delays and invoked actors do comes as events, so that
 * `xstate/graph` can walk it. `regions`: beside those of a parallel machine, to keep account of its surroundings.
 */
export function modelOf<M extends AnyStateMachine>(machine: M, regions: Part = {}): M {
  const config = withoutSurroundings(machine.config as Part) as Part;
  const states = { ...(config.states as Part), ...regions };
  return new StateMachine(
    { ...config, states } as M['config'],
    machine.implementations,
  ) as unknown as M;
}

function withoutSurroundings({ after, invoke, ...node }: Part): Part {
  const states = Object.entries((node.states ?? {}) as Record<string, Part>);
  const on = { ...(node.on as Part | undefined) };
  for (const [delay, transition] of Object.entries((after ?? {}) as Part))
    on[afterEvent(delay)] = transition;
  return {
    ...node,
    on,
    states: Object.fromEntries(states.map(([key, state]) => [key, withoutSurroundings(state)])),
  };
}
