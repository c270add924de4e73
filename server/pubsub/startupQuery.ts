/** Who asks whether the dashboard is active, as far as the connection tells. */
export interface Asker {
  address: string;
  /** The port that it says it listens on (`?port=`); the deployed program does not say. */
  port?: number;
  /** Whether a proxy stands between, so that the address is not its own. */
  isForwarded: boolean;
  /** Whether it asked by another name than this service has: a page could have had that name resolve here. */
  isMisnamed?: boolean;
  /** The address of this service that it asked. */
  localAddress?: string | undefined;
}

/** What a start-up query is answered; every field is copied by an asker that is told `active: true`. */
export interface StartupAnswer {
  active: boolean;
  eventsUrl: string;
}
