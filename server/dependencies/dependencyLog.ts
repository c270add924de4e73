import type { Logger } from 'pino';
import type { DependencyReport } from '../wire/dependencyReport.js';
import type { Dependencies } from './dependencies.js';

/** How long the summary of the start waits for first answers. */
const firstAnswersMs = 5000;

/** Logs which dependencies fail, and when that is over. */
export class DependencyLog {
  readonly #dependencies: Dependencies;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;

  constructor(dependencies: Dependencies, log: Logger) {
    this.#dependencies = dependencies;
    this.#log = log;
    dependencies.onChange((report, before) => this.#note(report, before));
    dependencies.onCause((report, before) => this.#note(report, before));
  }

  /** Sums up the first answers: when all are there, or after 5 s. */
  begin(): void {
    this.#timer = setTimeout(() => this.#sumUp(), firstAnswersMs);
    this.#dependencies.onChange(() => this.#sumUpIfKnown());
    this.#sumUpIfKnown();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #note({ name, where, state, cause, since }: DependencyReport, before: DependencyReport): void {
    const about = { dependency: name, where };
    if (state === 'fails') this.#log.warn({ ...about, cause }, 'a dependency does not answer');
    else if (before.state === 'fails')
      this.#log.info(
        { ...about, failedSince: before.since, answersSince: since },
        'a dependency answers again',
      );
  }

  #sumUpIfKnown(): void {
    const isUnknown = this.#dependencies.reports().some(({ state }) => state === 'unknown');
    if (!isUnknown) this.#sumUp();
  }

  /** Those that fail were logged when they did. */
  #sumUp(): void {
    if (this.#timer === undefined) return;
    this.close();
    const reports = this.#dependencies.reports();
    const names = (state: DependencyReport['state']) =>
      reports.filter((each) => each.state === state).map(({ name }) => name);
    const [answering, failing, unknown] = [names('answers'), names('fails'), names('unknown')];
    for (const { name, where } of reports.filter(({ state }) => state === 'unknown'))
      this.#log.warn({ dependency: name, where }, 'a dependency has not answered yet');
    if (reports.length === 0) return;
    if (answering.length === reports.length)
      this.#log.info({ answering }, 'every dependency answers');
    else this.#log.warn({ answering, failing, unknown }, 'not every dependency answers');
  }
}
