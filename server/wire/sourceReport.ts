/** The state of a discovery source. */
export interface SourceReport {
  name: string;
  /** Servers that it named when it last answered. */
  servers: number;
  /** Addresses that it named and that are not used: outside PUBSUB_NETWORKS, or the service's own. */
  leftOut: number;
  /** Servers that it names, but that were removed because they do not answer. Not counted in `servers`. */
  gone: number;
  /** The first 20 of them. */
  goneServers: string[];
  /** ISO 8601; null: it has not answered yet. */
  lastSuccessAt: string | null;
  /** Why it fails now; null: it does not. */
  error: string | null;
}
