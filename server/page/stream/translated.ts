import { steadyNow } from '../steadyNow.js';
import type { StreamStatus } from './messages.js';

/** A status of the hub, with its times converted to this tab's `steadyNow()`. */
export function translated({
  status,
  nowMs,
}: {
  status: StreamStatus;
  nowMs: number;
}): StreamStatus {
  const shiftMs = steadyNow() - nowMs;
  if (status.kind === 'stale') return { ...status, sinceMs: status.sinceMs + shiftMs };
  if (status.kind !== 'reconnecting') return status;
  const { sinceMs, retryAtMs } = status;
  return { ...status, sinceMs: sinceMs + shiftMs, retryAtMs: retryAtMs + shiftMs };
}
