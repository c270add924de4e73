/** A pub-sub server's question whether the dashboard is active, as far as its connection tells. */
export interface StartupQuery {
  /** The address that it came from. */
  address: string;
  /** The port that the sender says it listens on (`?port=`); deployed servers do not say. */
  port?: number;
  /** Whether a proxy forwarded it, so the address is the proxy's. */
  isForwarded: boolean;
  /** Whether its Host is not a name of this service: a web page may have sent it (DNS rebinding). */
  isMisnamed?: boolean;
  /** The address of this service that it was sent to. */
  localAddress?: string | undefined;
}

/** The answer to a start-up query. The server uses every field if `active` is true. */
export interface StartupAnswer {
  active: boolean;
  eventsUrl: string;
}
