import type { DependencyReport } from '../wire/dependencyReport.js';

/** What the part that uses a dependency says about it. */
export interface Dependency {
  answered(): void;
  /** `cause`: one plain sentence without secrets, such as "connection refused". */
  failed(cause: string): void;
  /** One request failed. It is counted; whether the dependency answers is told by the calls above. */
  erred(): void;
  /** More is known about where it is, such as the region of a table. */
  locate(where: string): void;
}

/** `before`: the report before the change. */
type Listener = (report: DependencyReport, before: DependencyReport) => void;

const maxCauseLength = 300;

/** The health of everything outside that the service uses. Parts say what they see; listeners hear of changes. */
export class Dependencies {
  readonly #now: () => number;
  readonly #reports = new Map<string, DependencyReport>();
  readonly #listeners: Record<'state' | 'cause', Listener[]> = { state: [], cause: [] };

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Adds one, whose state is unknown. Throws if there is one of that name. */
  add(name: string, where: string): Dependency {
    if (this.#reports.has(name)) throw new Error(`the dependency ${name} was added twice`);
    const report = { name, where, state: 'unknown', since: null, cause: null, errors: 0 } as const;
    this.#reports.set(name, report);
    return {
      answered: () => this.#note(name, { state: 'answers', cause: null }),
      failed: (cause) =>
        this.#note(name, { state: 'fails', cause: cause.slice(0, maxCauseLength) }),
      erred: () => this.#change(name, ({ errors }) => ({ errors: errors + 1 })),
      locate: (better) => this.#change(name, () => ({ where: better })),
    };
  }

  /** `listener` is called when a state changes; not when only the cause does. */
  onChange(listener: Listener): void {
    this.#listeners.state.push(listener);
  }

  /** `listener` is called when one that fails does so for another cause than before. */
  onCause(listener: Listener): void {
    this.#listeners.cause.push(listener);
  }

  /** In the order in which they were added. */
  reports(): DependencyReport[] {
    return [...this.#reports.values()];
  }

  #note(name: string, { state, cause }: Pick<DependencyReport, 'state' | 'cause'>): void {
    const before = this.#reports.get(name);
    if (!before) return;
    const errors = before.errors + (state === 'fails' ? 1 : 0);
    const isChange = state !== before.state;
    const since = isChange ? new Date(this.#now()).toISOString() : before.since;
    // Reports are never changed in place: listeners may keep them.
    const report = { ...before, state, cause, errors, since };
    this.#reports.set(name, report);
    const listeners = this.#listenersOf(report, before);
    for (const listener of listeners) listener(report, before);
  }

  #listenersOf({ state, cause }: DependencyReport, before: DependencyReport): Listener[] {
    if (state !== before.state) return this.#listeners.state;
    return cause === before.cause ? [] : this.#listeners.cause;
  }

  #change(
    name: string,
    change: (before: DependencyReport) => Pick<Partial<DependencyReport>, 'where' | 'errors'>,
  ): void {
    const before = this.#reports.get(name);
    if (before) this.#reports.set(name, { ...before, ...change(before) });
  }
}
