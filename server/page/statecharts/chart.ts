/** Prepares a statechart from `GET /api/machines` for drawing. */

import type { Delays, Named, StateDefinition, Transition } from '../../wire/machines.js';

/** A transition of a state; without targets: actions alone. */
export interface ChartTransition {
  readonly key: string;
  /** Path of the source state. */
  readonly source: string;
  /** An event, a delay with its time, or `always`. */
  readonly cause: string;
  readonly kind: 'event' | 'delay' | 'always';
  readonly guard: string | undefined;
  /** Paths of the target states; none: only its actions run. */
  readonly targets: readonly string[];
  readonly actions: readonly string[];
}

/** A state and its children. */
export interface ChartState {
  /** Keys from the root, joined by dots; empty: the root. */
  readonly path: string;
  readonly key: string;
  readonly type: string;
  readonly isInitial: boolean;
  readonly description: string | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly string[];
  readonly transitions: readonly ChartTransition[];
  readonly states: readonly ChartState[];
}

/** Whether a state is in another, at any depth. */
export const isInside = (path: string, outer: string): boolean =>
  path !== outer && (outer === '' || path.startsWith(`${outer}.`));

/** The chart of a machine. */
export function chartOf(definition: StateDefinition, delays: Delays = {}): ChartState {
  return stateOf(definition, { root: definition.id, delays, path: '', isInitial: false });
}

interface Place {
  root: string;
  delays: Delays;
  path: string;
  isInitial: boolean;
}

function stateOf(definition: StateDefinition, place: Place): ChartState {
  const { path, isInitial } = place;
  const {
    type,
    description,
    initial,
    entry = [],
    exit = [],
    invoke = [],
    states = {},
  } = definition;
  const inside = Object.entries(states).map(([key, state]) =>
    stateOf(state, {
      ...place,
      path: path === '' ? key : `${path}.${key}`,
      isInitial: key === initial,
    }),
  );
  return {
    path,
    key: path.split('.').at(-1) || definition.id,
    type,
    isInitial,
    description,
    entry: entry.map(wordOf),
    exit: exit.map(wordOf),
    invokes: invoke.map(({ src }) => src),
    transitions: transitionsOf(definition, place),
    states: inside,
  };
}

function transitionsOf(
  { on = {}, always = [], after = {} }: StateDefinition,
  { root, delays, path }: Place,
): ChartTransition[] {
  const all: ChartTransition[] = [];
  const add = (cause: string, kind: ChartTransition['kind'], candidates: readonly Transition[]) => {
    for (const [index, { target = [], guard, actions = [] }] of candidates.entries())
      all.push({
        key: `${path}|${all.length}`,
        source: path,
        cause,
        kind,
        guard: guardWord(guard, index),
        targets: target.map((id) => pathOf(id, root)),
        actions: actions.map(wordOf),
      });
  };
  for (const [event, candidates] of Object.entries(on)) add(eventWord(event), 'event', candidates);
  for (const [delay, candidates] of Object.entries(after))
    add(delayWord(delay, delays), 'delay', candidates);
  add('always', 'always', always);
  return all;
}

const pathOf = (id: string, root: string) =>
  id.replace(/^#/, '').slice(root.length).replace(/^\./, '');

/** The last of several candidates has no guard. */
const guardWord = (guard: Transition['guard'], index: number) =>
  typeof guard === 'object' ? wordOf(guard) : (guard ?? (index > 0 ? 'else' : undefined));

/** Shortens XState's name for "a final state inside was reached". */
const eventWord = (event: string) => (event.startsWith('xstate.done.state.') ? 'done' : event);

function wordOf({ type, params }: Named): string {
  if (params === undefined) return type;
  const values = typeof params === 'object' && params !== null ? Object.values(params) : [params];
  return `${type}(${values.map(String).join(', ')})`;
}

function delayWord(name: string, delays: Delays): string {
  const ms = Object.hasOwn(delays, name) ? delays[name] : Number(name);
  if (typeof ms !== 'number' || Number.isNaN(ms)) return `after ${name}`;
  const time = ms >= 1000 ? `${Number((ms / 1000).toFixed(1))} s` : `${ms} ms`;
  return /^\d+$/.test(name) ? `after ${time}` : `after ${name} (${time})`;
}
