import type { ServerView } from '../wire/serverView.js';

/** Sizes of a server without a snapshot. */
export const unknownSize = { rooms: null, connections: null };

/** The view of a server that is gone: it has no other facts. */
export function goneServer(id: string): ServerView {
  return {
    state: 'gone',
    lastHeardAt: null,
    epoch: null,
    ...unknownSize,
    overLimit: false,
    lastFailure: null,
    callback: null,
    id,
  };
}
