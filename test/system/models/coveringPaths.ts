import { type AnyStateMachine, createActor, type SnapshotFrom } from 'xstate';
import { getShortestPaths } from 'xstate/graph';
import { Coverage } from '../../worlds/coverage.js';

interface Walk<M extends AnyStateMachine, Event> {
  readonly input: unknown;
  /** What can happen next. */
  readonly eventsAt: (snapshot: SnapshotFrom<M>) => Event[];
  /** States that are the same to the walk have the same text. */
  readonly keyOf: (snapshot: SnapshotFrom<M>) => string;
  readonly maxSteps: number;
}

/** What happens one after the other, and what it reaches that no other path of the set does. */
export interface CoveringPath<Event> {
  readonly events: readonly Event[];
  readonly reaches: readonly string[];
}

/** Few paths that together reach every state and transition that the shortest paths of a model reach. */
export function coveringPaths<M extends AnyStateMachine, Event extends { type: string }>(
  model: M,
  walks: readonly Walk<M, Event>[],
): CoveringPath<Event>[] {
  const candidates = walks
    .flatMap((walk) => eventsOfPaths(model, walk))
    .sort((a, b) => a.length - b.length);
  const input = walks[0]?.input;
  const reached = new Set<string>();
  const chosen: CoveringPath<Event>[] = [];
  for (const events of candidates) {
    const places = placesOn(model, input, events);
    if (places.every((place) => reached.has(place))) continue;
    for (const place of places) reached.add(place);
    chosen.push({ events, reaches: places });
  }
  return withoutNeedless(chosen);
}

/** The shortest path to each state, and every one of them with one event more. */
function eventsOfPaths<M extends AnyStateMachine, Event extends { type: string }>(
  model: M,
  { input, eventsAt, keyOf, maxSteps }: Walk<M, Event>,
): Event[][] {
  const steps = new Map<string, number>();
  const serializeState = (snapshot: SnapshotFrom<M>, _: unknown, before?: SnapshotFrom<M>) => {
    const key = keyOf(snapshot);
    if (!steps.has(key)) steps.set(key, before ? (steps.get(keyOf(before)) ?? 0) + 1 : 0);
    return key;
  };
  const stopWhen = (snapshot: SnapshotFrom<M>) => (steps.get(keyOf(snapshot)) ?? 0) >= maxSteps;
  const options = { input, events: eventsAt, serializeState, stopWhen };
  const paths = getShortestPaths(model, options as never);
  return paths.flatMap(({ state, steps: taken }) => {
    const events = taken
      .map(({ event }) => event as unknown as Event)
      .filter(({ type }) => type !== 'xstate.init');
    const following = eventsAt(state as SnapshotFrom<M>).map((event) => [...events, event]);
    return [events, ...following];
  });
}

function placesOn(
  model: AnyStateMachine,
  input: unknown,
  events: readonly { type: string }[],
): string[] {
  const coverage = new Coverage([model]);
  const actor = createActor(model, { input, inspect: coverage.observe });
  actor.start();
  for (const event of events) actor.send(event);
  actor.stop();
  return coverage.reached;
}

/** Longer paths reach what shorter ones were chosen for. */
function withoutNeedless<Event>(paths: readonly CoveringPath<Event>[]): CoveringPath<Event>[] {
  const kept: CoveringPath<Event>[] = [];
  const reached = new Set<string>();
  for (const path of [...paths].reverse()) {
    if (path.reaches.every((place) => reached.has(place))) continue;
    for (const place of path.reaches) reached.add(place);
    kept.push(path);
  }
  return kept;
}
