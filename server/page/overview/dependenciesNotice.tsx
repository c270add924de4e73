import type { DependencyReport } from '../../wire/dependencyReport.js';
import { pageMs } from '../api.js';
import { failingDependencies } from '../model/polling.js';
import { visible } from '../model/roomNames.js';
import { clockTime } from '../ui/time.js';
import { Notice } from './notice.js';

/** What the service uses and what does not answer: Redis, tables, names in DNS, with the cause. */
export function DependenciesNotice() {
  const failing = failingDependencies.value;
  if (failing.length === 0) return null;
  return (
    <Notice tone="warn" name="dependencies">
      <div class="notice-text">
        {failing.map((report) => (
          <p key={report.name}>
            <strong>{subjectOf(report)} does not answer:</strong>{' '}
            {visible(report.cause ?? 'unknown')}
            {since(report)}. {meaningOf(report)}
          </p>
        ))}
      </div>
    </Notice>
  );
}

/** Whether the notice above names the dependency that this source of discovery asks. */
export function isKnownToFail(source: string, failing: readonly DependencyReport[]): boolean {
  const name = source === 'registered' ? 'servers' : source;
  return failing.some((report) => report.name === name);
}

function subjectOf({ name, where }: DependencyReport): string {
  if (name === 'redis') return `Redis at ${where}`;
  if (name === 'cluster') return `The Redis of the cluster at ${where}`;
  if (name === 'ecs') return `ECS (${where})`;
  if (name === 'webhook') return `The webhook at ${where}`;
  return `The ${name.startsWith('dns:') ? `name ${where}` : where}`;
}

const meanings: Readonly<Record<string, string>> = {
  redis: 'Open rooms are polled meanwhile.',
  cluster: 'No instance can lead without it, so the numbers may be out of date.',
  rooms: 'Rooms without connections may be missing.',
  connections: 'Past connections are missing.',
  data_dir: 'Stored rooms and past connections are missing.',
  webhook: 'Events are sent again later.',
};

const meaningOf = ({ name }: DependencyReport) => meanings[name] ?? 'Servers may be missing.';

function since({ since: at }: DependencyReport): string {
  return at === null ? '' : ` (since ${clockTime(pageMs(at))})`;
}
