import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** What the agent needs to know of a server's documents. Names are the server's own: any string. */
export interface AgentDocuments {
  /** Every document in memory with its connections, including 0. Read in one synchronous step. */
  connections(): Iterable<readonly [room: string, connections: number]>;
  /** The document as one Yjs update (v1); undefined if it is not in memory. */
  encodedState(room: string): Uint8Array | undefined;
  /** The awareness update of all states of a document; undefined if there are none. */
  encodedAwareness?(room: string): Uint8Array | undefined;
  /** Documents that wait to be stored, and that could not be stored. Only where the server tells. */
  stores?(): { pending: number; failed: number };
}

/** Where the agent says what a person should know. */
export interface AgentLog {
  info(text: string): void;
  warn(text: string): void;
}

/** The settings of an agent. */
export interface AgentOptions {
  /** The dashboard, or several addresses of it that are asked in turn. Default `http://127.0.0.1:8000`. */
  url?: string | readonly string[];
  documents: AgentDocuments;
  /** Port of the control listener. Default 0: any free port. */
  port?: number;
  /** Address of the control listener. Default: loopback if `url` is loopback, else all interfaces. */
  host?: string;
  /**
   * `host` or `host:port` under which the dashboard reaches the control listener. Default: the source
   * address of the agent's requests, and the port of the listener.
   */
  advertise?: string;
  /** Answers on the port of this server, instead of an own one. */
  server?: Server;
  /** Shared with the dashboard. Of several, the first signs and all verify. */
  secret?: string | readonly string[];
  /** Further hosts that the dashboard's `eventsUrl` may have without a secret. */
  dashboards?: readonly string[];
  /** CIDRs that may send requests without a secret. Default: loopback and private ranges. */
  networks?: readonly string[];
  /** What people call this server. Default: the host name, with the number of the worker if there is one. */
  name?: string;
  /** The program around the agent, such as `hocuspocus 3.4.4`. */
  hostKind?: string;
  /** Default: the console. Each message comes once. */
  log?: AgentLog;
  /** Hocuspocus only: count direct connections too. */
  countDirect?: boolean;
}

/** The last instruction of the dashboard: `PUT /api/dashboard` in docs/protocol.md. */
export interface Activation {
  readonly active: boolean;
  readonly eventsUrl: string;
  /** Whether to post updates of all documents too. */
  readonly updates?: true;
}

/** Reports one server to the dashboard. No method throws or rejects. */
export interface Agent {
  /** Call it in the same synchronous step in which `documents.connections()` gains a connection. */
  opened(room: string): void;
  /** Call it in the same synchronous step in which `documents.connections()` loses a connection. */
  closed(room: string): void;
  /** Call it for each update that arrives on a connection of this server, not by Redis. */
  updated(room: string, update: Uint8Array): void;
  /** Call it for each encoded awareness update of a watched document. */
  awarenessUpdated(room: string, update: Uint8Array): void;
  /** Whether somebody watches the document. Otherwise awareness need not be encoded. */
  readonly isWatched: (room: string) => boolean;
  /** Listens, then registers with the dashboard. Resolves when listening; port 0: that failed. */
  start(options?: { server?: Server }): Promise<{ port: number }>;
  /** For a shared port: answers a request of the dashboard. False: it is not for the agent. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
  activation(): Activation;
  /** Resolves when all posts are answered or have failed. */
  settled(): Promise<void>;
  /** Posts what is gathered, within a short deadline, and stops everything. */
  close(): Promise<void>;
}
