import { EventEmitter } from 'node:events';
import type { Agent, AgentOptions } from './agentTypes.js';
import { createAgent } from './createAgent.js';
import { documentsOf } from './documentsOf.js';
import { followDocument, type SharedDocument } from './followDocument.js';
import { RoomCounts } from './roomCounts.js';
import type { Timings } from './timings.js';

/** A namespace of Socket.IO: the connections to one document. */
interface DocumentNamespace {
  readonly name: string;
  readonly sockets: Map<string, unknown>;
}

type ConnectionListener = (socket: { readonly nsp: DocumentNamespace }) => void;

/** The parent of the namespaces of all documents. */
interface ParentNamespace {
  on(event: 'connection', listener: ConnectionListener): unknown;
  off(event: 'connection', listener: ConnectionListener): unknown;
}

/** A document of y-socket.io. */
export interface YSocketIoDocument extends SharedDocument {
  readonly name: string;
}

/** A `YSocketIO` of y-socket.io 1. */
export interface YSocketIoServer<Doc extends YSocketIoDocument> {
  readonly documents: Map<string, Doc>;
  /** Null before `initialize`. */
  readonly nsp: ParentNamespace | null;
  initialize(): void;
  on(event: 'document-loaded', listener: (document: Doc) => void): void;
  off(event: 'document-loaded', listener: (document: Doc) => void): void;
}

/** The settings of `attachDashboard`: those of the agent, and these. */
export interface YSocketIoOptions<Doc extends YSocketIoDocument>
  extends Omit<AgentOptions, 'documents' | 'countDirect'> {
  /** `encodeStateAsUpdate` of the Yjs that the server uses. Default: as y-socket.io answers a new client. */
  encodeState?: (document: Doc) => Uint8Array;
  /** Whether an update with this origin came from another server. Default: no update did. */
  isRemote?(origin: unknown): boolean;
}

const prefix = '/yjs|';

/**
 * Connects a server of y-socket.io to the dashboard, and starts the agent. The caller may close it.
 * Documents and connections that are there already are counted too.
 * `timings` is for tests.
 */
export function attachDashboard<Doc extends YSocketIoDocument>(
  ysocketio: YSocketIoServer<Doc>,
  options: YSocketIoOptions<Doc> = {},
  timings: Partial<Timings> = {},
): Agent {
  const {
    encodeState = (document: Doc) => stateForNewClient(ysocketio, document),
    isRemote = () => false,
    ...agentOptions
  } = options;
  const counts = new RoomCounts(() => agent);
  const endings = new WeakMap<object, () => void>();
  let isClosed = false;
  const documents = documentsOf(ysocketio.documents, counts, encodeState);
  const agent = createAgent({ hostKind: 'y-socket.io', ...agentOptions, documents }, timings);

  // Emitted after the stored content was applied, which nobody has just written.
  ysocketio.on('document-loaded', followUpdates);
  for (const document of ysocketio.documents.values()) followUpdates(document);
  whenInitialized(ysocketio, (parent) => {
    parent.on('connection', connected);
    for (const namespace of childrenOf(parent)) followConnections(namespace);
  });
  void agent.start();
  return { ...agent, close };

  function followUpdates(document: Doc): void {
    if (endings.has(document)) return;
    endings.set(document, followDocument(document.name, document, { agent, isRemote }));
  }

  /** The map has the socket already: the first one of a namespace is counted here, in the same step. */
  function connected({ nsp }: { readonly nsp: DocumentNamespace }): void {
    followConnections(nsp);
  }

  function followConnections(namespace: DocumentNamespace): void {
    if (isClosed || endings.has(namespace)) return;
    endings.set(namespace, counts.follow(namespace.name.slice(prefix.length), namespace.sockets));
  }

  /** Watches until the agent has closed: it still posts what closes meanwhile. */
  async function close(): Promise<void> {
    await agent.close();
    isClosed = true;
    ysocketio.off('document-loaded', followUpdates);
    ysocketio.nsp?.off('connection', connected);
    for (const document of ysocketio.documents.values()) endings.get(document)?.();
    for (const namespace of childrenOf(ysocketio.nsp)) endings.get(namespace)?.();
  }
}

/** The state vector of a document without content. */
const nothing = Uint8Array.of(0);

/** The whole document as y-socket.io sends it to a client that has nothing: by its own Yjs, and at once. */
function stateForNewClient(ysocketio: object, document: object): Uint8Array {
  const { initSyncListeners } = ysocketio as {
    initSyncListeners?: (socket: EventEmitter, document: object) => void;
  };
  if (typeof initSyncListeners !== 'function')
    throw new Error('this version of y-socket.io does not tell it');
  const client = new EventEmitter();
  let state: Uint8Array | undefined;
  initSyncListeners(client, document);
  client.emit('sync-step-1', nothing, (update: Uint8Array) => {
    state = update;
  });
  if (!state) throw new Error('y-socket.io did not answer at once');
  return state;
}

/** Calls `then` with the parent of all namespaces, at once or as soon as there is one. */
function whenInitialized(
  ysocketio: Pick<YSocketIoServer<YSocketIoDocument>, 'nsp' | 'initialize'>,
  then: (parent: ParentNamespace) => void,
): void {
  if (ysocketio.nsp) {
    then(ysocketio.nsp);
    return;
  }
  const { initialize } = ysocketio;
  ysocketio.initialize = () => {
    ysocketio.initialize = initialize;
    ysocketio.initialize();
    if (ysocketio.nsp) then(ysocketio.nsp);
  };
}

/** Socket.IO keeps the namespaces of a parent in a `Set` that its types leave out. */
function childrenOf(parent: object | null): Iterable<DocumentNamespace> {
  return (parent as { children?: Set<DocumentNamespace> } | null)?.children ?? [];
}
