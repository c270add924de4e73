import type { AnyStateMachine, AnyStateNode } from 'xstate';
import type { Named, StateDefinition, Transition } from '../wire/machines.js';

/** Name of a function that was written in place. */
const inline = 'inline function';

/** The name of an action, guard or actor; for a function its own name. */
function nameOf(named: unknown): Named {
  if (typeof named === 'string') return { type: named };
  if (typeof named === 'function') return { type: functionName(named) };
  const { type, params } = named as Named;
  if (params === undefined) return { type };
  return { type, params: typeof params === 'function' ? functionName(params) : params };
}

function functionName(given: { name: string; type?: unknown }): string {
  if (typeof given.type === 'string') return given.type;
  return given.name === '' ? inline : given.name;
}

const namesOf = (given: unknown): Named[] =>
  (Array.isArray(given) ? given : given === undefined ? [] : [given]).map(nameOf);

interface NodeTransition {
  target?: readonly { id: string }[] | undefined;
  guard?: unknown;
  actions: readonly unknown[];
  reenter: boolean;
}

function transitionOf({ target, guard, actions, reenter }: NodeTransition): Transition {
  const named = guard === undefined ? undefined : nameOf(guard);
  return {
    ...(target && { target: target.map(({ id }) => `#${id}`) }),
    ...(named && { guard: named.params === undefined ? named.type : named }),
    ...(actions.length > 0 && { actions: actions.map(nameOf) }),
    ...(reenter && { reenter }),
  };
}

function delayedOf(node: AnyStateNode): Record<string, Transition[]> {
  const after: Record<string, Transition[]> = {};
  for (const transition of node.after) {
    const name = typeof transition.delay === 'function' ? inline : String(transition.delay);
    after[name] = [...(after[name] ?? []), transitionOf(transition)];
  }
  return after;
}

function eventsOf(node: AnyStateNode): Record<string, Transition[]> {
  const timers = new Set(node.after.map(({ eventType }) => eventType));
  const others = [...node.transitions].filter(([event]) => !timers.has(event));
  return Object.fromEntries(
    others.map(([event, candidates]) => [event, candidates.map(transitionOf)]),
  );
}

const whereAny = <T extends object, K extends string>(key: K, held: T) =>
  (Object.keys(held).length > 0 ? { [key]: held } : {}) as Partial<Record<K, T>>;

function stateOf(node: AnyStateNode): StateDefinition {
  // From the configuration, which does not contain what XState adds for its timers.
  const { entry, exit } = node.config as { entry?: unknown; exit?: unknown };
  const states = Object.values(node.states) as AnyStateNode[];
  const invoked = node.invoke.map(({ id, src }) => ({ id, src: nameOf(src).type }));
  return {
    id: node.id,
    type: node.type,
    ...(node.description !== undefined && { description: node.description }),
    ...(node.type === 'compound' && { initial: node.initial.target[0]?.key ?? '' }),
    ...whereAny('entry', namesOf(entry)),
    ...whereAny('exit', namesOf(exit)),
    ...whereAny('invoke', invoked),
    ...whereAny('on', eventsOf(node)),
    ...whereAny('always', (node.always ?? []).map(transitionOf)),
    ...whereAny('after', delayedOf(node)),
    ...whereAny('states', Object.fromEntries(states.map((state) => [state.key, stateOf(state)]))),
  };
}

/** The statechart of a machine as JSON. */
export const definitionOf = (machine: AnyStateMachine): StateDefinition => stateOf(machine.root);

/** The delays of a chart in milliseconds; null: it depends on the context. */
export function delaysOf(machine: AnyStateMachine): Record<string, number | null> {
  const { delays } = machine.implementations as { delays: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(delays).map(([name, ms]) => [name, typeof ms === 'number' ? ms : null]),
  );
}
