import type {
  AnyStateMachine,
  AnyStateNode,
  AnyTransitionDefinition,
  InspectionEvent,
} from 'xstate';

/** The name of a state or a transition, the same in every run. */
export type Place = string;

/** Records which states and transitions of machines are reached. Derives the list of all from the machines. */
export class Coverage {
  readonly #names = new Map<AnyStateNode | AnyTransitionDefinition, Place>();
  readonly #reached = new Set<AnyStateNode | AnyTransitionDefinition>();

  constructor(machines: readonly AnyStateMachine[]) {
    for (const machine of machines) this.#enter(machine.root);
  }

  /** For the option `inspect` of an actor system. */
  readonly observe = (inspected: InspectionEvent): void => {
    if (inspected.type !== '@xstate.microstep' && inspected.type !== '@xstate.snapshot') return;
    const { _nodes = [] } = inspected.snapshot as { _nodes?: AnyStateNode[] };
    for (const node of _nodes) this.#reached.add(node);
    if (inspected.type === '@xstate.snapshot') return;
    for (const transition of inspected._transitions) {
      this.#reached.add(transition);
      // No snapshot shows a state that is left at once.
      this.#reached.add(transition.source);
    }
  };

  get all(): Place[] {
    return [...this.#names.values()];
  }

  get reached(): Place[] {
    return [...this.#names].filter(([each]) => this.#reached.has(each)).map(([, name]) => name);
  }

  get missed(): Place[] {
    return [...this.#names].filter(([each]) => !this.#reached.has(each)).map(([, name]) => name);
  }

  #enter(node: AnyStateNode): void {
    this.#names.set(node, node.id);
    const transitions = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
    for (const transition of transitions) this.#names.set(transition, nameOf(transition));
    for (const child of Object.values(node.states)) this.#enter(child);
  }
}

function nameOf({ source, eventType, guard, target, reenter }: AnyTransitionDefinition): Place {
  const condition = guard ? ` [${typeof guard === 'object' ? guard.type : guard}]` : '';
  const targets = target?.map(({ id }) => id).join(', ') ?? (reenter ? source.id : 'no other');
  return `${source.id}: ${eventType || 'always'}${condition} → ${targets}`;
}
