import {
  type AwarenessChange,
  type AwarenessStates,
  changedClients,
  encodeAwareness,
} from './awareness.js';
import type { Agent } from './createAgent.js';

type Listener<Change> = (change: Change, origin: unknown) => void;

/** A `Y.Doc` with an `Awareness`, of any version. */
export interface SharedDocument {
  on(event: 'update', listener: Listener<Uint8Array>): unknown;
  off(event: 'update', listener: Listener<Uint8Array>): unknown;
  readonly awareness?: AwarenessStates & {
    on(event: 'update', listener: Listener<AwarenessChange>): unknown;
    off(event: 'update', listener: Listener<AwarenessChange>): unknown;
  };
}

/** What `followDocument` needs. `isRemote`: whether another server posts what has this origin. */
export interface Following {
  readonly agent: Pick<Agent, 'updated' | 'awarenessUpdated' | 'isWatched'>;
  isRemote(origin: unknown): boolean;
}

/** Gives the agent the updates of a document and of its awareness. Returns what ends it. */
export function followDocument(
  room: string,
  document: SharedDocument,
  { agent, isRemote }: Following,
): () => void {
  const { awareness } = document;
  const updated: Listener<Uint8Array> = (update, origin) => {
    if (!isRemote(origin)) agent.updated(room, update);
  };
  const awarenessUpdated: Listener<AwarenessChange> = (change, origin) => {
    if (!awareness || !agent.isWatched(room)) return;
    if (!isOfThisServer(origin) && isRemote(origin)) return;
    const update = encodeAwareness(awareness, changedClients(change));
    if (update) agent.awarenessUpdated(room, update);
  };
  document.on('update', updated);
  awareness?.on('update', awarenessUpdated);
  return () => {
    document.off('update', updated);
    awareness?.off('update', awarenessUpdated);
  };
}

/** The server itself removes a client that left (null) or has not been heard, and sets its own state. */
const isOfThisServer = (origin: unknown): boolean =>
  origin === null || origin === 'timeout' || origin === 'local';
