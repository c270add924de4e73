import type { AgentDocuments } from './agentTypes.js';
import { encodeAwareness } from './awareness.js';
import { causeOf } from './causeOf.js';
import type { SharedDocument } from './followDocument.js';
import type { RoomCounts } from './roomCounts.js';

/** What the agent reads of a server that keeps its documents in a map by name. */
export function documentsOf<Doc extends SharedDocument>(
  documents: ReadonlyMap<string, Doc>,
  counts: RoomCounts,
  encodeState: (document: Doc) => Uint8Array,
): AgentDocuments {
  return {
    connections: () => counts.withIdle(documents.keys()),
    encodedState: (room) => {
      const document = documents.get(room);
      if (!document) return undefined;
      try {
        return encodeState(document);
      } catch (cause) {
        throw new Error(
          `encodeState failed: ${causeOf(cause)}. Hand in that of the server's own Yjs.`,
        );
      }
    },
    encodedAwareness: (room) => {
      const awareness = documents.get(room)?.awareness;
      return awareness && encodeAwareness(awareness);
    },
  };
}
