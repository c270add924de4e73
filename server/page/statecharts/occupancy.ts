import { type ChartState, type ChartTransition, isInside } from './chart.js';

/** The number of actors in each state, parents included, by path. */
export type Occupancy = ReadonlyMap<string, number>;

/** Adds up the actors of each state from its children. */
export function occupancyOf(chart: ChartState, leaves: ReadonlyMap<string, number>): Occupancy {
  const counts = new Map<string, number>();
  const count = ({ path, type, states }: ChartState): number => {
    const inside = states.map(count);
    // An actor in a parallel state is in every region, so the counts are not added.
    const sum = type === 'parallel' ? Math.max(0, ...inside) : inside.reduce((a, b) => a + b, 0);
    const own = states.length === 0 ? (leaves.get(path) ?? 0) : sum;
    counts.set(path, own);
    return own;
  };
  count(chart);
  return counts;
}

/** What changed between two polls, as far as the counts tell. */
export interface Moves {
  /** Paths of states with more actors than before. */
  readonly entered: ReadonlySet<string>;
  /** Keys of the transitions that may have been taken. */
  readonly taken: ReadonlySet<string>;
}

/** Compares two polls. A state that is left and entered again in between looks unchanged. */
export function movesBetween(chart: ChartState, before: Occupancy, now: Occupancy): Moves {
  const growth = (path: string) => (now.get(path) ?? 0) - (before.get(path) ?? 0);
  /** A transition of a box also leads from one state in it to another. */
  const isLeft = (path: string) =>
    [...now.keys()].some((each) => (each === path || isInside(each, path)) && growth(each) < 0);
  const isTaken = ({ source, targets }: ChartTransition) =>
    targets.some((target) => growth(target) > 0) && isLeft(source);
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

/**
 * The transitions to mark after a poll, with the poll that found them. With `isKept` also those of before, as
 * long as an actor is where they led.
 */
export function marksAfter(
  chart: ChartState,
  before: ReadonlyMap<string, number>,
  found: { taken: ReadonlySet<string>; now: Occupancy; look: number; isKept: boolean },
): Map<string, number> {
  const { taken, now, look, isKept } = found;
  const marks = new Map<string, number>();
  const visit = ({ transitions, states }: ChartState) => {
    for (const { key, targets } of transitions) {
      const earlier = before.get(key);
      if (taken.has(key)) marks.set(key, look);
      else if (isKept && earlier !== undefined && targets.every((path) => (now.get(path) ?? 0) > 0))
        marks.set(key, earlier);
    }
    for (const state of states) visit(state);
  };
  visit(chart);
  return marks;
}
