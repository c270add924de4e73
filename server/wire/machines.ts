/** The name of an action or guard, with its parameters in the chart. */
export interface Named {
  type: string;
  params?: unknown;
}

/** One candidate of a transition. Without a target it only runs its actions. */
export interface Transition {
  /** `#<machine>.<path>` of each state that is entered. */
  target?: string[];
  guard?: string | Named;
  actions?: Named[];
  /** Whether a state that is left and entered at once runs its exit and entry actions. */
  reenter?: true;
}

/**
 * A state as JSON: a configuration for `createMachine` and the tools of Stately, with every XState
 * default spelled out. It has no context and no inputs.
 */
export interface StateDefinition {
  /** `<machine>.<path>`. */
  id: string;
  type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  description?: string;
  initial?: string;
  entry?: Named[];
  exit?: Named[];
  invoke?: { id: string; src: string }[];
  /** Transitions by event. */
  on?: Record<string, Transition[]>;
  always?: Transition[];
  /** Transitions by the name of a delay, or its milliseconds. */
  after?: Record<string, Transition[]>;
  states?: Record<string, StateDefinition>;
}

/** Milliseconds by the name of a delay; null: computed from the actor's context. */
export type Delays = Readonly<Record<string, number | null>>;

/** A statechart, and how many actors are in each of its states. */
export interface MachineSummary {
  id: string;
  definition: StateDefinition;
  delays: Delays;
  actors: { total: number; states: Record<string, number> };
}

/** An actor of a machine. */
export interface ActorView {
  id: string;
  /** XState's status: `active`, `done`, `error` or `stopped`. */
  status: string;
  /** XState's state value. */
  value: unknown;
  /** Its active states, as paths. */
  states: string[];
  context: unknown;
}

/** A statechart with one page of its actors. */
export interface MachineView extends Omit<MachineSummary, 'actors'> {
  /** By id. */
  actors: ActorView[];
  /** `after` of the next page; absent on the last page. */
  next?: string;
}
