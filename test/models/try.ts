import { getShortestPaths } from 'xstate/graph';
import { pubSubServerModel, modelInput, eventsAt, factsOf } from '/work/main/test/models/pubSubServerModel.js';
const key = (s: any) => { const f = factsOf(s); return JSON.stringify([s.value, f.rootWish, f.hasBase, f.isAttemptOpen, f.timers, f.wish, f.isRequestDue, f.isProbeDue, f.failures, f.isUnconfirmed, f.isStartupAwaited, f.isStartupNoted, f.isEvidenceNoted, f.isUpdatesWished]); };
const depths = new Map<string, number>();
for (const depth of [5, 7, 9]) {
  const t0 = performance.now();
  depths.clear();
  const paths = getShortestPaths(pubSubServerModel as any, { input: modelInput, events: eventsAt as any,
    serializeState: ((s: any, e: any, p: any) => { const k = key(s); const d = p ? (depths.get(key(p)) ?? 0) + 1 : 0; if (!depths.has(k)) depths.set(k, d); return k; }) as any,
    stopWhen: ((s: any) => (depths.get(key(s)) ?? 0) >= depth) as any });
  console.log(depth, paths.length, performance.now() - t0 | 0);
}
