import type { ToldInfo } from '../pubsub/agentInfo.js';
import type { ServerAgent } from '../wire/serverView.js';

/** What a server told of itself, as viewers see it. */
export function agentView({ toldAtMs, ...info }: ToldInfo): ServerAgent {
  const { uptimeSeconds, capabilities } = info;
  const startedAtMs = uptimeSeconds === undefined ? Number.NaN : toldAtMs - uptimeSeconds * 1000;
  return {
    toldAt: new Date(toldAtMs).toISOString(),
    capabilities: [...capabilities],
    version: info.agent ?? null,
    host: info.host ?? null,
    node: info.node ?? null,
    startedAt: timeOf(startedAtMs),
    memoryBytes: info.memoryBytes ?? null,
    eventLoopDelayMs: info.eventLoopDelayMs ?? null,
    documents: info.documents ?? null,
    stores: info.stores ?? null,
  };
}

/** Null if it is no time: a server may say that it has been up for longer than times can be written. */
function timeOf(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
