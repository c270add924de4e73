import { type EventTokens, type ServerClaims, tokenIn } from './eventTokens.js';

/** What a pub-sub server says in a renewal: whether it posts, and where. */
export interface Renewal {
  isActive: boolean;
  /** Where it posts, or last posted; undefined: nowhere yet. */
  eventsUrl?: string | undefined;
}

/** A host name under which a server wants to be reached, and what it resolves to. */
export interface AdvertisedHost {
  host: string;
  addresses: readonly string[];
}

/** A pub-sub server's question whether the dashboard is active, as far as its connection tells. */
export interface StartupQuery {
  /** The address that it came from. */
  address: string;
  /** The port that the sender says it listens on (`?port=`); deployed servers do not say. */
  port?: number | undefined;
  /** Whether a proxy forwarded it, so the address is the proxy's. */
  isForwarded: boolean;
  /** Whether its Host is not a name of this service: a web page may have sent it (DNS rebinding). */
  isMisnamed?: boolean | undefined;
  /** The address of this service that it was sent to. */
  localAddress?: string | undefined;
  /** Where the sender shall post to, if the instance that got the query has found that out. Without a token. */
  postsUrl?: string | undefined;
  /** Random id of the sender's process; deployed servers have none. */
  run?: string | undefined;
  /** Undefined: the server has just started, or has lost its activation. */
  renewal?: Renewal | undefined;
  /** The host that the sender wants to be reached at, if it has shown that this is its own. */
  advertised?: AdvertisedHost | undefined;
}

/** What the signature of a query depends on, and what only a signed one may say. */
export interface QueryHead {
  method: string;
  /** The header `Host`. */
  host: string;
  /** The request target, as sent. */
  target: string;
  /** The header `Dashboard-Signature`. */
  signature: string | undefined;
  /** The name in `Host`; undefined: none. */
  hostname: string | undefined;
  /** Whether the configuration says that `Host` is a name of this service. */
  isConfigured: boolean;
  /** The host under which the sender wants to be reached (`?host=`). */
  advertised: string | undefined;
}

/** The answer to a start-up query. The server uses every field if `active` is true. */
export interface StartupAnswer {
  active: boolean;
  eventsUrl: string;
}

/** The claims of the URL in a renewal, in any term. They name its sender: only that server was told the URL. */
export function senderClaims(
  { renewal }: StartupQuery,
  tokens: EventTokens,
): ServerClaims | undefined {
  const claims = tokens.read(tokenIn(renewal?.eventsUrl ?? ''));
  return claims?.kind === 'server' && !claims.fromStartup ? claims : undefined;
}
