import process from 'node:process';
import { viewerStreams } from '../http/guards/viewerCounts.js';
import { requestKinds } from '../pubsub/requestMeter.js';
import { serviceVersion } from '../serviceVersion.js';
import type { DependencyReport } from '../wire/dependencyReport.js';
import type { ServiceState } from '../wire/serviceState.js';
import type { SourceReport } from '../wire/sourceReport.js';
import type { Counts } from './counts.js';
import type { Readers, Reading } from './metricsRegistry.js';

/** What metrics tell of the fleet. */
export interface ReadFleet {
  state: () => ServiceState;
  /** Whether servers are asked for their connections now. */
  isCounting: () => boolean;
  /** How many servers are in each state. */
  servers: () => Readonly<Record<string, number>>;
  discovery: () => readonly Pick<SourceReport, 'name' | 'lastSuccessAt'>[];
  /** Connections that snapshots corrected in this leadership. */
  corrected: () => number;
}

/** What the readers read. */
export interface ReadSources {
  counts: Counts;
  /** Undefined: this instance does not lead. */
  fleet: () => ReadFleet | undefined;
  /** Rooms that viewers of this instance watch. */
  rooms: () => { watched: number; divergent: number };
  /** Milliseconds since the stream of the leader said that it leads; null: there is no such stream. */
  leaderLagMs: () => number | null;
  /** What this instance uses outside itself, and how often that failed. */
  dependencies: () => readonly Pick<DependencyReport, 'name' | 'state' | 'errors'>[];
}

const states = ['inactive', 'activating', 'active', 'deactivating'];
const redis = ['redis', 'cluster'];
const tables = ['rooms', 'servers', 'connections'];

/** Reads every metric from the parts of the service. */
export function readersOf({
  counts,
  fleet,
  rooms,
  leaderLagMs,
  dependencies,
}: ReadSources): Readers {
  const { streams, refused } = counts.viewers;
  const active = () => {
    const led = fleet();
    return led?.isCounting() ? led : undefined;
  };
  const perStream = (field: 'open' | 'frames') =>
    viewerStreams.map((stream): Reading => [streams[stream][field], { stream }]);
  const ofAll = (field: 'opened' | 'cut' | 'bytes' | 'dropped') =>
    just(viewerStreams.reduce((sum, stream) => sum + streams[stream][field], 0));
  const errorsOf = (names: readonly string[], label: string) =>
    dependencies()
      .filter(({ name }) => names.includes(name))
      .map(({ name, errors }): Reading => [errors, { [label]: name }]);
  return {
    build_info: () => [[1, { version: serviceVersion(), node: process.version }]],
    viewers: () => perStream('open'),
    viewer_connections_total: () => ofAll('opened'),
    viewers_refused_total: () => byLabel('reason', refused),
    viewers_cut_total: () => ofAll('cut'),
    viewer_resumes_total: () => byLabel('outcome', counts.resumes),
    frames_total: () => perStream('frames'),
    sent_bytes_total: () => ofAll('bytes'),
    frames_dropped_total: () => ofAll('dropped'),
    posts_total: () => byLabel('outcome', counts.posts),
    deltas_total: () => just(counts.deltas),
    activation_state: () => stateReadings(fleet()?.state().state),
    servers: () => byLabel('state', active()?.servers() ?? {}),
    server_requests_total: () => requestReadings(counts),
    resyncs_total: () => byLabel('reason', counts.resyncs),
    snapshot_drift_connections_total: () =>
      just(counts.correctedBefore + (fleet()?.corrected() ?? 0)),
    rooms: () => ifKnown(active()?.state().rooms),
    connections: () => ifKnown(active()?.state().connections),
    complete: () => ifKnown(active()?.state().complete),
    divergent_rooms: () => {
      const { watched, divergent } = rooms();
      return ifKnown(watched > 0 ? divergent : null);
    },
    discovery_last_success_timestamp_seconds: () => successReadings(active()),
    dependency_up: () =>
      dependencies()
        .filter(({ state }) => state !== 'unknown')
        .map(({ name, state }): Reading => [Number(state === 'answers'), { dependency: name }]),
    redis_errors_total: () => errorsOf(redis, 'dependency'),
    store_errors_total: () => errorsOf(tables, 'table'),
    leader: () => just(fleet() ? 1 : 0),
    leader_transitions_total: () => just(counts.transitions),
    leader_lag_seconds: () => {
      const ms = leaderLagMs();
      return ifKnown(ms === null ? null : ms / 1000);
    },
    leader_gaps_total: () => just(counts.gaps),
  };
}

const just = (value: number): Reading[] => [[value]];

const ifKnown = (value: number | boolean | null | undefined): Reading[] =>
  value === null || value === undefined ? [] : just(Number(value));

const byLabel = (label: string, values: Readonly<Record<string, number>>): Reading[] =>
  Object.entries(values).map(([name, value]) => [value, { [label]: name }]);

const stateReadings = (now: string | undefined): Reading[] =>
  now === undefined ? [] : states.map((state) => [Number(state === now), { state }]);

const requestReadings = ({ requests }: Counts): Reading[] =>
  requestKinds.flatMap((request) => [
    [requests[request].answered, { request, outcome: 'answered' }],
    [requests[request].failed, { request, outcome: 'failed' }],
  ]);

function successReadings(fleet: ReadFleet | undefined): Reading[] {
  return (fleet?.discovery() ?? []).flatMap(({ name, lastSuccessAt }): Reading[] =>
    lastSuccessAt === null ? [] : [[Date.parse(lastSuccessAt) / 1000, { source: name }]],
  );
}
