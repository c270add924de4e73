import type { ServerView } from '../../wire/serverView.js';
import type { ServerFacts } from './whatIsKnown.js';

type Row = Pick<ServerView, 'state' | 'connections' | 'overLimit' | 'lastFailure'>;

/** States of a server that the service waits for. */
const pendingStates = new Set(['unknown', 'silent', 'silencing', 'activating']);

/** Counts the servers by how they are heard. Removed servers are left out. */
export function serverFacts(rows: readonly Row[]): ServerFacts {
  const facts = { present: 0, counted: 0, pending: 0, live: 0, deaf: 0, late: 0, overLimit: 0 };
  for (const { state, connections, overLimit, lastFailure } of rows) {
    if (state === 'gone') continue;
    facts.present += 1;
    if (connections !== null) facts.counted += 1;
    else if (pendingStates.has(state) && lastFailure === null) facts.pending += 1;
    if (state === 'live') facts.live += 1;
    if (state === 'deaf') facts.deaf += 1;
    if (state === 'stale') facts.late += 1;
    if (overLimit) facts.overLimit += 1;
  }
  return facts;
}
