import type { Leader } from '../../machines/ports.js';
import { hostAndPort, isAddress } from '../addresses.js';
import type { InboxWriter } from '../cluster/inboxWriter.js';
import type { AddressBook } from './addressBook.js';
import { type CallbackUrls, withPath } from './callbackUrls.js';
import { type EventTokens, type ServerClaims, unknownAddress } from './eventTokens.js';
import { queryEntry } from './inboxEntries.js';
import type { Answered } from './startupQueries.js';
import { type StartupAnswer, type StartupQuery, senderClaims } from './startupQuery.js';

/** What start-up queries at an instance that does not lead need of the rest of the service. */
export interface FollowerQueriesNeeds {
  /** Another instance that leads; undefined: none does, or this one. */
  leader: () => Leader | undefined;
  inbox: Pick<InboxWriter, 'write'>;
  /** Of all terms. */
  tokens: EventTokens;
  urls: CallbackUrls;
  book: Pick<AddressBook, 'mayBePubSubServer' | 'mayContact'>;
  pubSubPort: number;
}

/**
 * Answers start-up queries for a leader that cannot be asked, and leaves them in its inbox. The answer has a token
 * that counts nothing: what is posted with it makes the leader take a snapshot.
 */
export class FollowerQueries {
  readonly #needs: FollowerQueriesNeeds;

  constructor(needs: FollowerQueriesNeeds) {
    this.#needs = needs;
  }

  answer(query: StartupQuery): Answered {
    return { answer: this.#answerTo(query), afterwards: () => {} };
  }

  inactiveAnswer(): StartupAnswer {
    return { active: false, eventsUrl: this.#needs.urls.anyFor() };
  }

  /** Whether the sender may be a pub-sub server. */
  isHeeded(query: StartupQuery): boolean {
    return senderClaims(query, this.#needs.tokens) !== undefined || this.#mayBeServer(query);
  }

  /** Where the sender shall post to; undefined: it reaches neither the leader nor this instance. */
  postsUrlFor({ localAddress, address }: StartupQuery): string | undefined {
    const { leader, urls } = this.#needs;
    const serversUrl = leader()?.serversUrl;
    if (serversUrl !== undefined) return withPath(serversUrl);
    // Posts to this instance are passed on.
    return urls.reachableUrlFor({ localAddress, remoteAddress: address });
  }

  #answerTo(query: StartupQuery): StartupAnswer {
    if (!this.isHeeded(query)) return this.inactiveAnswer();
    const { leader, inbox, tokens } = this.#needs;
    inbox.write(queryEntry(query));
    const { renewal } = query;
    const claims = senderClaims(query, tokens);
    // A server that posts goes on, with its URL. Only the leader knows whether it should, and tells it.
    if (claims && renewal?.isActive && renewal.eventsUrl !== undefined)
      return { active: true, eventsUrl: renewal.eventsUrl };
    const { term, isActive } = leader() ?? {};
    if (!isActive || term === undefined) return this.inactiveAnswer();
    const url = this.postsUrlFor(query);
    if (url === undefined) return this.inactiveAnswer();
    const token = tokens
      .withTerm(term)
      .mint({ kind: 'address', address: addressOf(query, claims) });
    return { active: true, eventsUrl: `${url}?token=${token}` };
  }

  #mayBeServer({ address, port, advertised }: StartupQuery): boolean {
    const { book, pubSubPort } = this.#needs;
    if (!advertised) return book.mayBePubSubServer(address);
    return advertised.addresses.some((each) => book.mayContact(each, port ?? pubSubPort));
  }
}

/** The address of the sender, for its token. */
function addressOf(
  { address, isForwarded, advertised }: StartupQuery,
  claims: ServerClaims | undefined,
): string {
  const [first] = advertised?.addresses ?? [];
  if (first !== undefined) return first;
  const host = claims && hostAndPort(claims.server).host;
  if (host !== undefined && isAddress(host)) return host;
  return isForwarded ? unknownAddress : address;
}
