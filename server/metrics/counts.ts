import { ViewerCounts } from '../http/guards/viewerCounts.js';
import { type RequestKind, type ResyncReason, requestKinds } from '../pubsub/requestMeter.js';

/**
 * What the parts of this process count since its start: plain numbers that only grow. The parts get those of
 * their own subject and add to them; a scrape reads them (docs/decisions/metrics-at-a-scrape.md).
 */
export class Counts {
  readonly viewers = new ViewerCounts();
  readonly resumes = { resumed: 0, restarted: 0 };
  readonly posts = { taken: 0, passed: 0, unknown_token: 0, refused: 0 };
  readonly requests = Object.fromEntries(
    requestKinds.map((kind) => [kind, { answered: 0, failed: 0 }]),
  ) as Readonly<Record<RequestKind, { answered: number; failed: number }>>;
  readonly resyncs: Record<ResyncReason, number> = {
    regular: 0,
    confirmation: 0,
    evidence: 0,
    missed_posts: 0,
    updates: 0,
    overtaken: 0,
    failure: 0,
  };
  deltas = 0;
  /** Connections that snapshots corrected, in earlier leaderships of this instance. */
  correctedBefore = 0;
  /** Times that it began or ceased to lead. */
  transitions = 0;
  /** Times that the stream of the leader ended. */
  gaps = 0;
}
