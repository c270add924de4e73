import type { Dependencies } from '../dependencies/dependencies.js';
import type { NotedEvent } from '../wire/activityEvent.js';
import type { DependencyReport } from '../wire/dependencyReport.js';

/** Notes when something outside that the service uses does not answer, and when that is over. */
export function noteDependencies(
  dependencies: Pick<Dependencies, 'reports' | 'onChange'>,
  note: (event: NotedEvent) => void,
): void {
  // Some may have failed before.
  for (const report of dependencies.reports()) if (report.state === 'fails') note(failure(report));
  dependencies.onChange((report, before) => {
    if (report.state === 'fails') note(failure(report));
    else if (before.state === 'fails') note(recovery(report));
  });
}

const failure = ({ name, where, cause }: DependencyReport): NotedEvent => ({
  kind: 'dependency.failed',
  level: 'warning',
  subject: { type: 'dependency', name },
  message: `${name} (${where}) does not answer.`,
  cause,
});

const recovery = ({ name, where }: DependencyReport): NotedEvent => ({
  kind: 'dependency.recovered',
  level: 'info',
  subject: { type: 'dependency', name },
  message: `${name} (${where}) answers again.`,
  cause: null,
});
