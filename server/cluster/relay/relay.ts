import type { Term } from '../../../machines/ports.js';
import type { StreamKind } from '../../fleet/feed.js';
import type { StreamViewer } from '../../sse/channel.js';
import type { Clock } from '../../timing/clock.js';
import type { FleetStatus } from '../../wire/fleetEvents.js';
import type { Upstream } from './upstream.js';

/** What a relay needs. */
export interface RelayNeeds {
  clock: Clock;
  /** Least time between two maps of `?stream=rooms`. */
  frameIntervalMs: number;
  /** How long the numbers are kept after the last viewer. */
  lingerMs: number;
  /** From 0 to 1; spreads reconnections. */
  random?: () => number;
  /** Called for each end of an upstream that is reopened. */
  onUpstreamEnded?: (cause: string) => void;
}

/** What a relay does now, for operators. */
export interface RelayStatus {
  /** Term of the upstream; null: there is none. */
  term: Term | null;
  /** Why there is none; null: there is one, or no reason was given. */
  why: string | null;
  viewers: number;
  /** `closed`: nobody looks. `holding`: the numbers of an earlier term are shown. */
  state: 'closed' | 'opening' | 'live' | 'holding' | 'lost';
  /** What viewers are told. */
  shown: FleetStatus;
  /** Milliseconds since the last beat of the upstream's term; null: none yet. */
  beatAgoMs: number | null;
}

/** Feeds all viewers of an instance in a cluster, from the leader's stream. */
export class Relay {
  constructor(needs: RelayNeeds) {
    void needs;
  }

  /** Changes the upstream. Undefined: nobody leads, or Redis does not say who. `why`: for operators. */
  follow(upstream: Upstream | undefined, why?: string): void {
    void [upstream, why];
  }

  /** Adds a viewer: it gets the frames that it missed, or a whole state, and the status. */
  add(viewer: StreamViewer, kind: StreamKind, lastEventId?: string): void {
    void [viewer, kind, lastEventId];
  }

  remove(viewer: StreamViewer): void {
    void viewer;
  }

  get viewers(): number {
    return 0;
  }

  status(): RelayStatus {
    throw new Error('not built yet');
  }

  /** Ends every stream. */
  close(): void {}
}
