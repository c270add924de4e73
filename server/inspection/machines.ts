import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { ActorView, MachineSummary, MachineView } from '../wire/machines.js';
import { charts } from './charts.js';
import { definitionOf, delaysOf } from './definition.js';
import { plainData } from './plainData.js';
import { activeStates } from './stateValue.js';

/** Which actors are asked for. */
export interface ActorQuery {
  limit: number;
  /** The id after which the page begins. */
  after?: string | undefined;
  /** What an id has to contain. */
  search?: string | undefined;
}

type MachineActor = AnyActorRef & { getSnapshot(): AnyMachineSnapshot };

/** The statecharts of the service and the actors that run them, read on request. */
export class Machines {
  readonly #root: AnyActorRef;
  readonly #charts = new Map<string, Omit<MachineSummary, 'actors'>>();

  constructor(root: AnyActorRef) {
    this.#root = root;
  }

  get ids(): string[] {
    return charts.map(({ id }) => id);
  }

  summaries(): MachineSummary[] {
    const actors = [...actorsUnder(this.#root)];
    return charts.map((machine) => {
      const own = actors.filter((actor) => machineOf(actor) === machine.id);
      return { ...this.#chart(machine), actors: { total: own.length, states: tally(own) } };
    });
  }

  /** Undefined: no machine has this id. */
  view(id: string, { limit, after, search = '' }: ActorQuery): MachineView | undefined {
    const machine = charts.find((chart) => chart.id === id);
    if (!machine) return undefined;
    const wanted = [...actorsUnder(this.#root)]
      .filter((actor) => machineOf(actor) === id && actor.id.includes(search))
      .filter((actor) => after === undefined || actor.id > after)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    const page = wanted.slice(0, limit);
    const next = wanted.length > limit ? page.at(-1)?.id : undefined;
    return {
      ...this.#chart(machine),
      actors: page.map(viewOf),
      ...(next !== undefined && { next }),
    };
  }

  #chart(machine: AnyStateMachine): Omit<MachineSummary, 'actors'> {
    const { id } = machine;
    const known = this.#charts.get(id);
    if (known) return known;
    const chart = { id, definition: definitionOf(machine), delays: delaysOf(machine) };
    this.#charts.set(id, chart);
    return chart;
  }
}

/** An actor and its descendants that run a machine. */
function* actorsUnder(ref: AnyActorRef): Generator<MachineActor> {
  const snapshot = ref.getSnapshot();
  if (snapshot?.machine === undefined) return;
  yield ref as MachineActor;
  const { children } = snapshot as { children: Record<string, AnyActorRef | undefined> };
  for (const child of Object.values(children)) if (child) yield* actorsUnder(child);
}

const machineOf = (actor: MachineActor): string => actor.getSnapshot().machine.id;

function tally(actors: readonly MachineActor[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const actor of actors)
    for (const state of activeStates(actor.getSnapshot().value))
      counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function viewOf(actor: MachineActor): ActorView {
  const { status, value, context } = actor.getSnapshot();
  return { id: actor.id, status, value, states: activeStates(value), context: plainData(context) };
}
