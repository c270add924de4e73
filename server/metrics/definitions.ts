/** The list of metrics. `docs/metrics.md` has it as tables, and a test compares the two. */

type Labels = readonly string[];

/** Begins the name of every metric of this service. Those of the process have the usual names of Node.js programs. */
export const prefix = 'pubsubdash_';

/**
 * Where a metric is found. `instance`: at every instance. `leader`: at the one that counts, which leads or is
 * alone. `active`: there, and only while servers post.
 */
export type Scope = 'instance' | 'leader' | 'active';

/** Upper bounds of histograms, in seconds. */
const buckets = {
  /** A frame interval is 0.05 s. */
  frame: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5],
  /** A request times out after 2 s. */
  request: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  activation: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
};

/** Metrics that are read from the parts of the service at a scrape. */
export const readMetrics = [
  gauge('build_info', 'instance', 'always 1; its labels are the versions', ['version', 'node']),
  gauge('viewers', 'instance', 'open event streams, by kind', ['stream']),
  counter('viewer_connections_total', 'instance', 'event streams that were opened'),
  counter(
    'viewers_refused_total',
    'instance',
    'event streams that were refused, by the limit that was reached',
    ['reason'],
  ),
  counter(
    'viewers_cut_total',
    'instance',
    'event streams that were cut because the client had not read for a minute',
  ),
  counter(
    'viewer_resumes_total',
    'instance',
    'viewers of changes that came back: with what they missed (`resumed`), or with a whole snapshot (`restarted`)',
    ['outcome'],
  ),
  counter('frames_total', 'instance', 'frames sent to viewers, without heartbeats', ['stream']),
  counter('sent_bytes_total', 'instance', 'bytes of these frames'),
  counter(
    'frames_dropped_total',
    'instance',
    'times that a viewer was sent no more because 1 MiB waited for it. It gets a whole state later',
  ),
  counter(
    'posts_total',
    'instance',
    'posts of pub-sub servers: `taken` here, `passed` to the leader, with an `unknown_token`, or `refused`',
    ['outcome'],
  ),
  counter('deltas_total', 'leader', 'changes of connections in posts'),
  gauge('activation_state', 'leader', '1 for the present state, 0 for the others', ['state']),
  gauge('servers', 'active', 'pub-sub servers, by state', ['state']),
  counter(
    'server_requests_total',
    'instance',
    'requests to pub-sub servers. `failed`: without a good answer in time',
    ['request', 'outcome'],
  ),
  counter(
    'resyncs_total',
    'leader',
    'times that a counted server was asked for all its connections again, by reason',
    ['reason'],
  ),
  counter(
    'snapshot_drift_connections_total',
    'leader',
    'connections by which the counts were wrong when a snapshot corrected them. Posts that were only late do not count',
  ),
  gauge('rooms', 'active', 'rooms with a connection; absent: not known'),
  gauge('connections', 'active', 'connections to all rooms; absent: not known'),
  gauge('complete', 'active', '1: all known servers are counted in full. 0: some are not'),
  gauge(
    'divergent_rooms',
    'instance',
    'rooms watched at this instance with different documents on their servers; absent: none is watched',
  ),
  gauge(
    'discovery_last_success_timestamp_seconds',
    'active',
    'when a source of servers answered last, in seconds since 1970; absent: never',
    ['source'],
  ),
  gauge(
    'dependency_up',
    'instance',
    '1: something outside that the service uses answers. 0: it fails. Absent: it was not asked yet',
    ['dependency'],
  ),
  counter('redis_errors_total', 'instance', 'times that a Redis failed, by use', ['dependency']),
  counter('store_errors_total', 'instance', 'times that a table of the metadata store failed', [
    'table',
  ]),
  gauge('leader', 'instance', '1: this instance leads, or is alone. 0: it does not lead'),
  counter('leader_transitions_total', 'instance', 'times that it began or ceased to lead'),
  gauge(
    'leader_lag_seconds',
    'instance',
    'time since the stream of the leader said that it leads; absent: there is no such stream',
  ),
  counter('leader_gaps_total', 'instance', 'times that the stream of the leader ended unasked'),
] as const;

/** Metrics that are told of each value. */
export const histograms = [
  histogram(
    'post_to_frame_seconds',
    'leader',
    'from the arrival of the oldest post in a frame until the frame is sent',
    buckets.frame,
  ),
  histogram(
    'activation_duration_seconds',
    'leader',
    'from the first viewer until every server has answered or failed',
    buckets.activation,
  ),
  histogram(
    'server_request_duration_seconds',
    'instance',
    'requests to pub-sub servers, with or without an answer',
    buckets.request,
    ['request'],
  ),
] as const;

export type ReadMetric = (typeof readMetrics)[number];
export type HistogramMetric = (typeof histograms)[number];

function gauge<const Name extends string, const L extends Labels = []>(
  name: Name,
  scope: Scope,
  help: string,
  labels?: L,
) {
  return { type: 'gauge', name, scope, help, labels: labels ?? [] } as const;
}

function counter<const Name extends string, const L extends Labels = []>(
  name: Name,
  scope: Scope,
  help: string,
  labels?: L,
) {
  return { type: 'counter', name, scope, help, labels: labels ?? [] } as const;
}

function histogram<const Name extends string, const L extends Labels = []>(
  name: Name,
  scope: Scope,
  help: string,
  bounds: readonly number[],
  labels?: L,
) {
  return { type: 'histogram', name, scope, help, buckets: bounds, labels: labels ?? [] } as const;
}
