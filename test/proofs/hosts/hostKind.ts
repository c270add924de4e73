/** A client that is connected to one document of a host. */
export interface HostClient {
  /** Whether the connection is open, as far as the client knows. */
  isOpen(): boolean;
  /** Leaves in order. Resolves when the connection is closed here. */
  close(): Promise<void>;
  /** Vanishes without a word. */
  terminate(): Promise<void>;
  /** Stops answering, with the connection left open: a laptop that was closed. */
  freeze(): void;
  /** Sends a Yjs update. */
  edit(update: Uint8Array): void;
  /** Sends an awareness update. */
  tell(awareness: Uint8Array): void;
}

/** A kind of Yjs server that the agent is tested with. */
export interface HostKind {
  /** Such as `y-websocket 2`. */
  readonly name: string;
  /** The folder beside this file that has its packages. */
  readonly fixture: string;
  /** The module in that folder that exports what the host needs. */
  readonly library: string;
  /** The file beside this one that runs the host. */
  readonly program: string;
  /** Names of documents, as the server calls them. */
  readonly rooms: readonly string[];
  /** Connects to a document. Rejects if the host refuses. */
  connect(url: string, room: string, options?: { isRefused?: boolean }): Promise<HostClient>;
}
