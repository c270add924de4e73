import type { ChartState, ChartTransition } from './chart.js';

/** How many actors are in each state, by path, the states around them included. */
export type Occupancy = ReadonlyMap<string, number>;

/** Counts actors in a state by those in the states inside it. */
export function occupancyOf(chart: ChartState, leaves: ReadonlyMap<string, number>): Occupancy {
  const counts = new Map<string, number>();
  const count = ({ path, type, states }: ChartState): number => {
    const inside = states.map(count);
    // Whoever is in a state with regions is in every region of it.
    const sum = type === 'parallel' ? Math.max(0, ...inside) : inside.reduce((a, b) => a + b, 0);
    const own = states.length === 0 ? (leaves.get(path) ?? 0) : sum;
    counts.set(path, own);
    return own;
  };
  count(chart);
  return counts;
}

/** What happened between two looks, as far as the numbers tell. */
export interface Moves {
  /** Paths of states that more are in than before. */
  readonly entered: ReadonlySet<string>;
  /** Keys of the transitions that may have been taken. */
  readonly taken: ReadonlySet<string>;
}

/** Compares two looks: what is left and entered over again between them is not seen. */
export function movesBetween(chart: ChartState, before: Occupancy, now: Occupancy): Moves {
  const growth = (path: string) => (now.get(path) ?? 0) - (before.get(path) ?? 0);
  const isTaken = ({ source, targets }: ChartTransition) =>
    source !== '' && growth(source) < 0 && targets.some((target) => growth(target) > 0);
  const entered = new Set<string>();
  const taken = new Set<string>();
  const look = ({ path, states, transitions }: ChartState) => {
    if (growth(path) > 0 && path !== '') entered.add(path);
    for (const transition of transitions) if (isTaken(transition)) taken.add(transition.key);
    for (const state of states) look(state);
  };
  look(chart);
  return { entered, taken };
}
