import type { Named, StateDefinition, Transition } from '../../server/wire/machines.js';

/** A transition as the diagram draws it: an arrow with a label. */
interface Arrow {
  from: StateDefinition;
  to: StateDefinition;
  label: string;
}

/** The name of an action or guard, with the parameters that the chart gives it. */
export function nameOf(named: string | Named): string {
  if (typeof named === 'string') return named;
  const params = Object.values((named.params ?? {}) as Record<string, unknown>);
  return params.length > 0 ? `${named.type}(${params.join(', ')})` : named.type;
}

/** What sets off each transition of a state, in the words of a label. */
export function triggersOf(state: StateDefinition): { on: string; candidates: Transition[] }[] {
  const { on = {}, always = [], after = {} } = state;
  return [
    ...(always.length > 0 ? [{ on: 'always', candidates: always }] : []),
    ...Object.entries(on).map(([event, candidates]) => ({ on: eventWord(event), candidates })),
    ...Object.entries(after).map(([delay, candidates]) => ({ on: `after ${delay}`, candidates })),
  ];
}

/** XState's long name for "a final state inside was reached" is shortened. */
const eventWord = (event: string) => (event.startsWith('xstate.done.state.') ? 'done' : event);

/** The guard of a candidate; `else` for one without that comes after others. */
export function conditionOf({ guard }: Transition, place: number): string | undefined {
  if (guard !== undefined) return nameOf(guard);
  return place > 0 ? 'else' : undefined;
}

/** A statechart as a Mermaid `stateDiagram-v2`: states and what leads from one to another. */
export function mermaidOf(root: StateDefinition): string {
  return new Diagram(root).text();
}

class Diagram {
  readonly #root: StateDefinition;
  readonly #states = new Map<string, StateDefinition>();
  readonly #parents = new Map<StateDefinition, StateDefinition>();
  readonly #arrows: Arrow[];

  constructor(root: StateDefinition) {
    this.#root = root;
    this.#enter(root);
    this.#arrows = [...this.#states.values()].flatMap((state) => this.#arrowsFrom(state));
  }

  text(): string {
    const { type, states = {} } = this.#root;
    // A parallel root needs something around its regions; else its states are the diagram's own.
    const body =
      type === 'parallel'
        ? this.#declare(this.#root)
        : this.#inside(this.#root, Object.values(states));
    return ['stateDiagram-v2', ...indent([...body, ...this.#arrowLines(undefined)]), ''].join('\n');
  }

  #enter(state: StateDefinition): void {
    this.#states.set(`#${state.id}`, state);
    for (const child of Object.values(state.states ?? {})) {
      this.#parents.set(child, state);
      this.#enter(child);
    }
  }

  #arrowsFrom(from: StateDefinition): Arrow[] {
    return triggersOf(from).flatMap(({ on, candidates }) =>
      candidates.flatMap((candidate, place) => {
        const condition = conditionOf(candidate, place);
        const label = condition === undefined ? on : `${on} [${condition}]`;
        return (candidate.target ?? []).map((id) => ({ from, to: this.#target(from, id), label }));
      }),
    );
  }

  /** No arrow leads to what is around its start: what is entered there is drawn instead. */
  #target(from: StateDefinition, id: string): StateDefinition {
    let to = this.#states.get(id);
    if (!to) throw new Error(`${from.id} leads to ${id}, which is nowhere`);
    while (to.initial !== undefined && this.#isWithin(from, to)) to = initialOf(to);
    return to;
  }

  #isWithin(inner: StateDefinition, outer: StateDefinition): boolean {
    for (let at: StateDefinition | undefined = inner; at; at = this.#parents.get(at))
      if (at === outer) return true;
    return false;
  }

  #declare(state: StateDefinition): string[] {
    const head = `state "${titleOf(state)}" as ${keyOf(state)}`;
    const children = Object.values(state.states ?? {});
    if (children.length === 0) {
      const end = state.type === 'final' ? [`${keyOf(state)} --> [*]`] : [];
      return [head, ...end];
    }
    const body =
      state.type === 'parallel'
        ? children.flatMap((region, i) => [...(i > 0 ? ['--'] : []), ...this.#declare(region)])
        : this.#inside(state, children);
    return [`${head} {`, ...indent(body), '}'];
  }

  #inside(state: StateDefinition, children: StateDefinition[]): string[] {
    const isLeftFromAny = this.#arrows.some(
      (arrow) => arrow.from === state && this.#leadsInside(arrow),
    );
    return [
      ...(isLeftFromAny ? [`state "in any state" as ${anyOf(state)}`] : []),
      ...children.flatMap((child) => this.#declare(child)),
      `[*] --> ${keyOf(initialOf(state))}`,
      ...this.#arrowLines(state),
    ];
  }

  /** Mermaid draws no arrow from a state to what is in it: such arrows get a start of their own. */
  #leadsInside({ from, to }: Arrow): boolean {
    return from !== to && this.#isWithin(to, from);
  }

  /** Where an arrow has to be written: a state that is named first in a block is drawn in that block. */
  #homeOf(arrow: Arrow): StateDefinition | undefined {
    const start = this.#leadsInside(arrow) ? arrow.from : this.#parents.get(arrow.from);
    return start === this.#parents.get(arrow.to) ? start : undefined;
  }

  #arrowLines(home: StateDefinition | undefined): string[] {
    const labels = new Map<string, string[]>();
    for (const arrow of this.#arrows) {
      if (this.#homeOf(arrow) !== home) continue;
      const { from, to, label } = arrow;
      const start = this.#leadsInside(arrow) ? anyOf(from) : keyOf(from);
      const ends = `${start} --> ${keyOf(to)}`;
      labels.set(ends, [...(labels.get(ends) ?? []), label]);
    }
    return [...labels].map(([ends, all]) => `${ends}: ${all.join('<br/>')}`);
  }
}

const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);

/** Dots are no part of a name in Mermaid. */
const keyOf = ({ id }: StateDefinition) => id.split('.').slice(1).join('_') || id;
const anyOf = (state: StateDefinition) => `${keyOf(state)}_any`;

function titleOf({ id, invoke = [] }: StateDefinition): string {
  const name = id.split('.').at(-1) ?? id;
  const invoked = invoke.map(({ src }) => src).join(', ');
  return invoked === '' ? name : `${name}, invokes ${invoked}`;
}

function initialOf({ id, initial = '', states = {} }: StateDefinition): StateDefinition {
  const state = states[initial];
  if (!state) throw new Error(`${id} has no initial state`);
  return state;
}
