import type { DependencyReport } from '../wire/dependencyReport.js';

/** What the part that uses a dependency says about it. */
export interface Dependency {
  answered(): void;
  /** `cause`: one plain sentence without secrets, such as "connection refused". */
  failed(cause: string): void;
  /** More is known about where it is, such as the region of a table. */
  locate(where: string): void;
}

type Listener = (report: DependencyReport) => void;

const maxCauseLength = 300;

/** The health of everything outside that the service uses. Parts say what they see; listeners hear of changes. */
export class Dependencies {
  readonly #now: () => number;
  readonly #reports = new Map<string, DependencyReport>();
  readonly #listeners: Listener[] = [];

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
      locate: (better) => this.#change(name, { where: better }),
    };
  }

  /** `listener` is called when a state changes; not when only the cause does. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
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
    const report = this.#change(name, { state, cause, errors, since });
    if (isChange && report) for (const listener of this.#listeners) listener(report);
  }

  /** Reports are never changed in place: listeners may keep them. */
  #change(name: string, change: Partial<DependencyReport>): DependencyReport | undefined {
    const before = this.#reports.get(name);
    if (!before) return undefined;
    const report = { ...before, ...change };
    this.#reports.set(name, report);
    return report;
  }
}
