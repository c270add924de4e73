import type { Term } from '../../machines/ports.js';
import type { InboxEntry } from '../cluster/inbox.js';
import type { CallbackReceiver } from './callbackReceiver.js';
import type { StartupQuery } from './startupQuery.js';

/** Gives a leader's receiver what this and other instances left in the inbox. */
export function takeInboxEntry(receiver: CallbackReceiver, entry: InboxEntry): void {
  if (entry.kind === 'post') receiver.noteUncountedPost(entry.claims);
  else if (entry.kind === 'stranger') receiver.notePostWithoutToken(entry.address);
  else if (entry.heededIn !== receiver.term) receiver.answerStartup(entry.query).afterwards();
}

/** The entry of a query. Only its answer needs the rest of it. `heededIn`: the term of a leader that has heeded it. */
export function queryEntry(
  { localAddress, postsUrl, ...query }: StartupQuery,
  heededIn?: Term | undefined,
): InboxEntry {
  return { kind: 'query', query, ...(heededIn !== undefined && { heededIn }) };
}
