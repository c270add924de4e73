import type { ServerStatus } from '../../machines/pubSubServerSetup.js';
import type { Config } from '../config/config.js';
import { FrameLatency } from '../fleet/frameLatency.js';
import { Counts } from '../metrics/counts.js';
import { MetricsRegistry } from '../metrics/metricsRegistry.js';
import { type ReadFleet, type ReadSources, readersOf } from '../metrics/readers.js';
import { ScrapeViewer } from '../metrics/scrapeViewer.js';
import { timeActivations } from '../metrics/timeActivations.js';
import type { EndedRequest, RequestMeter } from '../pubsub/requestMeter.js';
import { sendIfActive } from '../sendIfActive.js';
import type { Fleet, FleetMeters } from './wireFleet.js';

/** What the metrics read from the rest of the instance. */
export interface MetricsWiringNeeds extends Omit<ReadSources, 'counts' | 'fleet'> {
  config: Config;
  /** Undefined: this instance does not lead. */
  fleet: () => Fleet | undefined;
  /** Called with each request to a pub-sub server that has ended. */
  onRequest: (ended: EndedRequest) => void;
}

/** How long a scrape with `?fleet=true` counts as a viewer, unless `METRICS_KEEP_ACTIVE` says it. */
const lookMs = 60_000;

/** The metrics of an instance. */
export type MetricsParts = ReturnType<typeof wireMetrics>;

/** Creates what counts, and what a scrape reads. */
export function wireMetrics({ config, fleet, onRequest, ...sources }: MetricsWiringNeeds) {
  const counts = new Counts();
  const readFleet = () => {
    const led = fleet();
    return led && fleetAsRead(led);
  };
  const registry = new MetricsRegistry(readersOf({ ...sources, counts, fleet: readFleet }));
  const latency = new FrameLatency((seconds) => registry.observe('post_to_frame_seconds', seconds));
  const scrapes = new ScrapeViewer();
  const keepActiveMs = config.metricsKeepActive;
  return {
    counts,
    /** What a fleet tells. */
    meters: {
      meter: meterOf(counts, registry, onRequest),
      onBatch: ({ deltas, sinceMs }) => {
        counts.deltas += deltas;
        latency.noteCounted(sinceMs);
      },
      onFlushed: (hasRooms) => latency.noteFlushed(hasRooms),
      resumes: counts.resumes,
    } satisfies FleetMeters,
    /** A fleet begins. */
    lead: (led: Fleet) => {
      if (led.term !== undefined) counts.transitions += 1;
      timeActivations(led.activation, (seconds) =>
        registry.observe('activation_duration_seconds', seconds),
      );
      // The activation has not started yet.
      setImmediate(() => {
        if (fleet() === led) scrapes.lead(watchable(led));
      });
    },
    /** The fleet ends. */
    stopLeading: (led: Fleet) => {
      counts.transitions += 1;
      counts.correctedBefore += correctedIn(led);
      scrapes.lead(undefined);
    },
    http: {
      token: config.metricsToken,
      hasOwnPort: config.metricsPort !== undefined,
      expose: () => registry.expose(),
      scraped: ({ isLook }: { isLook: boolean }) => {
        if (isLook || keepActiveMs > 0) scrapes.look(keepActiveMs || lookMs);
      },
    },
    close: () => scrapes.close(),
  };
}

function meterOf(
  { requests, resyncs }: Counts,
  registry: MetricsRegistry,
  onRequest: (ended: EndedRequest) => void,
): RequestMeter {
  return {
    ended: (ended) => {
      const { request, seconds, cause } = ended;
      requests[request][cause === null ? 'answered' : 'failed'] += 1;
      registry.observe('server_request_duration_seconds', seconds, { request });
      onRequest(ended);
    },
    resynced: (reason) => {
      resyncs[reason] += 1;
    },
  };
}

/** Connections that snapshots corrected since the fleet began. */
export const correctedIn = ({ activation }: Fleet) =>
  activation.getSnapshot().context.tally.corrected;

function fleetAsRead(fleet: Fleet): ReadFleet {
  const { view, discovery } = fleet;
  return {
    state: () => view.state(),
    isCounting: () => view.watching().isCounting,
    servers: () => serversByState(fleet),
    discovery: () => discovery.reports(),
    corrected: () => correctedIn(fleet),
  };
}

function serversByState({ activation }: Fleet): Record<ServerStatus, number> {
  const servers: Record<ServerStatus, number> = {
    unknown: 0,
    silent: 0,
    silencing: 0,
    activating: 0,
    live: 0,
    deaf: 0,
    stale: 0,
    unreachable: 0,
  };
  for (const { status } of activation.getSnapshot().context.roster.shown()) servers[status] += 1;
  return servers;
}

const watchable = ({ activation }: Fleet) => ({
  viewerConnected: () => sendIfActive(activation, { type: 'viewer.connected' }),
  viewerDisconnected: () => sendIfActive(activation, { type: 'viewer.disconnected' }),
});
