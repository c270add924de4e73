import type { ServerId } from '../../machines/ports.js';
import { hostAndPort, toServerId } from '../addresses.js';
import type { AddressBook } from './addressBook.js';
import { type EventTokens, type ServerClaims, unknownAddress } from './eventTokens.js';
import type { KnownServers } from './knownServers.js';
import {
  type AdvertisedHost,
  type StartupAnswer,
  type StartupQuery,
  senderClaims,
} from './startupQuery.js';

/** What start-up queries need of the rest of the service. */
export interface StartupQueriesNeeds {
  servers: KnownServers;
  book: AddressBook;
  tokens: EventTokens;
  pubSubPort: number;
  /** The events URL with a token, for the sender of a query; undefined: it cannot reach this service. */
  urlOf: (token: string, query: StartupQuery) => string | undefined;
  /** An events URL without a token, for servers that should not post. */
  unusedUrl: string;
  /** The run that a server last told of; undefined: none. */
  runOf: (server: ServerId) => string | undefined;
  /** Has all servers asked for snapshots soon. */
  resyncAll: () => void;
  /** In a cluster: the sender is not known to be a pub-sub server. If this leader dies, the next one must ask it. */
  noteNewcomer?: ((query: StartupQuery) => void) | undefined;
}

/** An answer, and what to do after it was sent. */
export interface Answered {
  answer: StartupAnswer;
  afterwards: () => void;
}

/**
 * Answers start-up queries and their renewals. Finds out which servers may have sent one, by token and
 * address, and has the machine do what is needed: docs/protocol.md.
 */
export class StartupQueries {
  readonly #needs: StartupQueriesNeeds;

  constructor(needs: StartupQueriesNeeds) {
    this.#needs = needs;
  }

  answer(query: StartupQuery): Answered {
    const claims = this.#claimsOf(query);
    if (claims && this.#postsAsWished(claims, query)) return this.#confirm(query);
    const senders = claims ? [claims.server] : this.#possibleSenders(query);
    if (senders.length === 0) return { answer: this.inactiveAnswer(), afterwards: () => {} };
    const { servers, resyncAll, noteNewcomer } = this.#needs;
    const { isActive } = servers;
    if (senders.some((sender) => this.#isNew(sender))) noteNewcomer?.(query);
    const isIdentified =
      !query.isForwarded || query.advertised !== undefined || claims !== undefined;
    const eventsUrl = this.#urlFor(query, senders, isIdentified);
    const answer =
      eventsUrl === undefined ? this.inactiveAnswer() : { active: isActive, eventsUrl };
    const afterwards = () => {
      if (isActive && isIdentified) servers.sendAnswered(senders);
      else if (isActive) resyncAll();
      else if (isIdentified) this.#noteWhileInactive(query, senders);
    };
    return { answer, afterwards };
  }

  inactiveAnswer(): StartupAnswer {
    return { active: false, eventsUrl: this.#needs.unusedUrl };
  }

  #isNew(server: ServerId): boolean {
    const { standing = 'candidate' } = this.#needs.servers.roster.get(server) ?? {};
    return standing === 'candidate';
  }

  /** What the URL in a renewal tells of its sender, if that is still known. */
  #claimsOf(query: StartupQuery): ServerClaims | undefined {
    const { tokens, servers } = this.#needs;
    const claims = senderClaims(query, tokens);
    return claims && servers.roster.get(claims.server) && claims;
  }

  /** Whether a server posts, as it should, to the URL of its newest activation. */
  #postsAsWished({ server, epoch, term }: ServerClaims, { renewal }: StartupQuery): boolean {
    const { isActive, roster, tally } = this.#needs.servers;
    if (!isActive || !renewal?.isActive || term !== this.#needs.tokens.term) return false;
    const { status } = roster.get(server) ?? {};
    const isAnswering = status === 'live' || status === 'deaf';
    return isAnswering && (tally.baseOf(server) === epoch || tally.accepts(server, epoch));
  }

  /** The answer to a healthy server is the URL that it has. */
  #confirm({ renewal }: StartupQuery): Answered {
    const eventsUrl = renewal?.eventsUrl ?? this.#needs.unusedUrl;
    return { answer: { active: true, eventsUrl }, afterwards: () => {} };
  }

  /** Has a server told to be silent, which also shows that it is there. Most known servers need nothing. */
  #noteWhileInactive(query: StartupQuery, [server, ...others]: readonly ServerId[]): void {
    if (server === undefined || others.length > 0) return;
    const { servers } = this.#needs;
    const { standing = 'candidate', status } = servers.roster.get(server) ?? {};
    if (standing === 'candidate') servers.addCandidate(server);
    else if (status === 'unknown' || (status === 'silent' && this.#isUnlikeBefore(query, server)))
      servers.sendEvidence([server]);
  }

  /** Whether a silent server posts, or is another process than the one that was told to be silent. */
  #isUnlikeBefore({ run, renewal }: StartupQuery, server: ServerId): boolean {
    if (renewal?.isActive) return true;
    return run !== undefined && this.#needs.runOf(server) !== run;
  }

  /** The servers that may have sent a query; none if this service may not contact the sender. */
  #possibleSenders({ address, port, isForwarded, advertised }: StartupQuery): ServerId[] {
    const { servers, book, pubSubPort } = this.#needs;
    const listening = port ?? pubSubPort;
    if (advertised) return this.#serversAt(advertised, listening);
    if (!book.mayBePubSubServer(address)) return [];
    if (isForwarded) return servers.all();
    const known = servers.at(address);
    const plausible = known.filter((server) => servers.isPlausible(server));
    if (port === undefined && plausible.length > 0) return plausible;
    const same = known.filter((server) => hostAndPort(server).port === listening);
    if (same.length > 0) return same;
    return book.mayContact(address, listening) ? [toServerId(address, listening)] : [];
  }

  /** The known servers at a host and port, or else the server that would be there. */
  #serversAt({ host, addresses }: AdvertisedHost, port: number): ServerId[] {
    const { servers, book } = this.#needs;
    const server = toServerId(host, port);
    if (servers.roster.get(server)) return [server];
    const known = new Set(addresses.flatMap((address) => servers.at(address)));
    const same = [...known].filter((each) => hostAndPort(each).port === port);
    if (same.length > 0) return same;
    return addresses.some((address) => book.mayContact(address, port)) ? [server] : [];
  }

  /** With a token for one server if only one can have sent the query, else for its address. */
  #urlFor(query: StartupQuery, senders: readonly ServerId[], isIdentified: boolean) {
    const { tokens, urlOf, servers } = this.#needs;
    const [server, ...others] = senders;
    if (server === undefined || others.length > 0 || !isIdentified || query.isMisnamed) {
      const address = isIdentified ? query.address : unknownAddress;
      return urlOf(tokens.mint({ kind: 'address', address }), query);
    }
    const epoch = servers.tally.nextEpoch();
    return urlOf(tokens.mint({ kind: 'server', server, epoch, fromStartup: true }), query);
  }
}
