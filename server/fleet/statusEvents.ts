import { type Frame, messageFrame } from '../sse/frames.js';
import type { FeedStatus, LeaderStatus } from '../wire/fleetEvents.js';

type AnyStatus = FeedStatus | LeaderStatus;

/** The event `status`. It has no id: it holds for the version that was sent before it. */
export function statusFrame(status: object): Buffer {
  return messageFrame(JSON.stringify(status), { event: 'status' });
}

/** A whole state with its status: bad news goes before the numbers, good news after them. */
export function withStatus(frame: Frame, status: { complete: boolean }): Buffer[] {
  const parts = Buffer.isBuffer(frame) ? [frame] : frame;
  return status.complete ? [...parts, statusFrame(status)] : [statusFrame(status), ...parts];
}

/** The frames for an instance that resumes: `resumed`, the frames that it missed, and the status. */
export function resumption(missed: readonly Buffer[], status: AnyStatus): Buffer[] {
  return [messageFrame('{}', { event: 'resumed' }), ...missed, statusFrame(status)];
}

/** Whether every server has answered or failed: until then, rooms may be missing without a reason. */
export function isSettled(status: AnyStatus): boolean {
  return status.complete || ('detail' in status && status.detail === 'watched');
}

/** Whether the numbers are said to be better than before: settled, or complete. */
export function isBetter(status: AnyStatus, before: AnyStatus): boolean {
  if (status.complete !== before.complete) return status.complete;
  return isSettled(status) && !isSettled(before);
}
