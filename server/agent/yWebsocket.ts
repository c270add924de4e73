import type { Agent, AgentOptions } from './agentTypes.js';
import { createAgent } from './createAgent.js';
import { documentsOf } from './documentsOf.js';
import { followDocument, type SharedDocument } from './followDocument.js';
import { RoomCounts } from './roomCounts.js';
import type { Timings } from './timings.js';
import { watchMap } from './watchMap.js';

/** A document of y-websocket 1 and 2 (`bin/utils`) and of `@y/websocket-server`. */
export interface YWebsocketDocument extends SharedDocument {
  /** Its connections, which the library keeps exact. */
  readonly conns: Map<object, unknown>;
}

/** The settings of `attachDashboard`: those of the agent, and these. */
export interface YWebsocketOptions<Doc extends YWebsocketDocument>
  extends Omit<AgentOptions, 'documents' | 'countDirect'> {
  /** The library's map of documents. Import it in the same way as `setupWSConnection`. */
  docs: Map<string, Doc>;
  /** `encodeStateAsUpdate` of the Yjs that the server uses. */
  encodeState: (document: Doc) => Uint8Array;
  /**
   * Whether an update with this origin came from another server, which posts it by itself. Default:
   * every origin but a connection of this server.
   */
  isRemote?(origin: unknown): boolean;
}

/**
 * Connects a server of y-websocket to the dashboard, and starts the agent. The caller may close it.
 * Documents that are in `docs` already are counted too.
 * `timings` is for tests.
 */
export function attachDashboard<Doc extends YWebsocketDocument>(
  options: YWebsocketOptions<Doc>,
  timings: Partial<Timings> = {},
): Agent {
  const { docs, encodeState, isRemote = isNoConnection, ...agentOptions } = options;
  const counts = new RoomCounts(() => agent);
  const connections = new WeakSet<object>();
  const endings = new WeakMap<Doc, () => void>();
  const documents = documentsOf(docs, counts, encodeState);
  const agent = createAgent({ hostKind: 'y-websocket', ...agentOptions, documents }, timings);
  const unwatch = watchMap(docs, (room, doc) => {
    if (room !== undefined && doc) follow(room, doc);
  });
  for (const [room, doc] of docs) follow(room, doc);
  void agent.start();
  return { ...agent, close };

  /** The library sets each document twice, the first time before its first connection. */
  function follow(room: string, doc: Doc): void {
    if (endings.has(doc)) return;
    const ends = [
      counts.follow(room, doc.conns, (connection) => connections.add(connection)),
      followDocument(room, doc, { agent, isRemote }),
    ];
    endings.set(doc, () => {
      for (const end of ends) end();
    });
  }

  function isNoConnection(origin: unknown): boolean {
    return !(typeof origin === 'object' && origin !== null && connections.has(origin));
  }

  /** Watches until the agent has closed: it still posts what closes meanwhile. */
  async function close(): Promise<void> {
    await agent.close();
    unwatch();
    for (const doc of docs.values()) endings.get(doc)?.();
  }
}
