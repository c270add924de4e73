import type { ServerId } from '../../../machines/ports.js';
import { asBuffer, messageFrame } from '../../sse/frames.js';

/**
 * The events of `GET /api/instances/rooms/posts`, by which the leader passes on what servers post about a room.
 * `subscribed`: `{"servers"}` that hold the room post it. `update`, `awareness`: base64. The id of `subscribed` and
 * `beat` is `PostedRoom.notes`.
 */
export const postFrames = {
  subscribed: (servers: readonly ServerId[], notes: number) =>
    messageFrame(JSON.stringify({ servers }), { event: 'subscribed', id: String(notes) }),
  lost: messageFrame('{}', { event: 'lost' }),
  missing: messageFrame('{}', { event: 'missing' }),
  dropped: messageFrame('{}', { event: 'dropped' }),
  update: (update: Uint8Array) =>
    messageFrame(asBuffer(update).toString('base64'), { event: 'update' }),
  awareness: (update: Uint8Array) =>
    messageFrame(asBuffer(update).toString('base64'), { event: 'awareness' }),
  beat: (notes: number) => messageFrame('{}', { event: 'beat', id: String(notes) }),
};
