import { StreamCounts } from '../../sse/streamCounts.js';

/**
 * Kinds of event streams. `rooms` and `changes`: live counts. `room`: one document. `updates`: all documents.
 * `inspector`: the Stately inspector.
 */
export const viewerStreams = ['rooms', 'changes', 'room', 'updates', 'inspector'] as const;

export type ViewerStream = (typeof viewerStreams)[number];

/** What the streams of viewers did since the start, and why others were refused. */
export class ViewerCounts {
  readonly streams: Readonly<Record<ViewerStream, StreamCounts>> = {
    rooms: new StreamCounts(),
    changes: new StreamCounts(),
    room: new StreamCounts(),
    updates: new StreamCounts(),
    inspector: new StreamCounts(),
  };
  /** By the limit that was reached. `stream_limit`: that of this kind of stream. */
  readonly refused = {
    draining: 0,
    max_viewers: 0,
    max_viewers_per_address: 0,
    stream_limit: 0,
  };
}
