import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import type { Delta } from '../../machines/tally.js';
import { hostAndPort, toServerId } from '../addresses.js';
import { AtMostEvery } from '../timing/atMostEvery.js';
import { GrowingInterval } from '../timing/growingInterval.js';
import { Pace } from '../timing/pace.js';
import type { AddressBook } from './addressBook.js';
import { DeltaInbox } from './deltaInbox.js';
import type { EventTokens, TokenClaims } from './eventTokens.js';
import type { ContentEntry } from './parseContent.js';
import type { Posted } from './parsePosted.js';
import type { StartupAnswer, StartupQuery } from './startupQuery.js';

/** What the receiver needs of the rest of the service. */
export interface CallbackReceiverNeeds {
  actor: ActivationActor;
  book: AddressBook;
  tokens: EventTokens;
  pubSubPort: number;
  /** Longest time between two snapshots of a server, in milliseconds. */
  resyncIntervalMs: number;
  /** The events URL with a token, for the sender of a query; undefined: it cannot reach this service. */
  urlOf: (token: string, query: StartupQuery) => string | undefined;
  /** An events URL without a token, for servers that should not post. */
  unusedUrl: string;
  /** Called when a server has posted. */
  onHeard: (server: ServerId) => void;
  /** Called with the deltas that a server posted. */
  observe: (server: ServerId, deltas: readonly Delta[]) => void;
  /** Called with each update that a server posted. */
  takeUpdate: (room: RoomName, update: Buffer) => void;
  /** Called with what a server posted about watched rooms. */
  takeContent: (server: ServerId, entries: readonly ContentEntry[]) => void;
  /** A post of a server about watched rooms was refused. */
  noteLostContent: (server: ServerId) => void;
}

/** What a token tells of posts of deltas. */
type DeltaClaims = Exclude<TokenClaims, { kind: 'content' }>;

/** The address in tokens for senders behind a proxy, which can be any server. */
const unknownAddress = '';
const strangerIntervalMs = 10_000;
const firstResyncAllMs = 2000;

/**
 * Receives posts and start-up queries of pub-sub servers. Finds out which servers sent them, by token and
 * address, and turns them into events of the machine: deltas, evidence, answered start-up queries.
 */
export class CallbackReceiver {
  readonly #needs: CallbackReceiverNeeds;
  readonly #inbox: DeltaInbox;
  /** Limits how often one address can add a candidate. */
  readonly #strangers = new AtMostEvery(strangerIntervalMs);
  /** Limits resyncs of all servers: anyone who can forge a header can send a query through a proxy. */
  readonly #resyncPace: Pace;

  constructor(needs: CallbackReceiverNeeds) {
    this.#needs = needs;
    this.#inbox = new DeltaInbox((posts) => this.#send({ type: 'deltas.received', posts }));
    const interval = new GrowingInterval(firstResyncAllMs, needs.resyncIntervalMs);
    this.#resyncPace = new Pace(
      () => {
        interval.note(performance.now());
        this.#resyncAll();
      },
      () => interval.ms,
    );
  }

  /** Takes a post with a valid token. */
  take(claims: DeltaClaims, { deltas, updates }: Posted): void {
    if (claims.kind === 'address') {
      this.noteUncountedPost(claims);
      return;
    }
    const { server, epoch, fromStartup } = claims;
    this.#needs.onHeard(server);
    if (deltas.length > 0) this.#inbox.put({ server, epoch, fromStartup, deltas });
    else this.#noteArrival(claims);
    // Anybody at the address of a server can get such a token, so nothing under it is shown.
    if (fromStartup) return;
    this.#needs.observe(server, deltas);
    for (const { room, update } of updates)
      this.#needs.takeUpdate(room, Buffer.from(update, 'base64'));
  }

  /** Takes a post about watched rooms. */
  takeContent(server: ServerId, entries: readonly ContentEntry[]): void {
    this.#needs.onHeard(server);
    this.#needs.takeContent(server, entries);
  }

  /** Notes a post that has a valid token but cannot be read: the next snapshot, or state, must correct it. */
  noteUncountedPost(claims: TokenClaims): void {
    if (claims.kind === 'content') this.#needs.noteLostContent(claims.server);
    else if (claims.kind === 'server') {
      this.#noteArrival(claims);
      this.#sendEvidence([claims.server]);
    } else if (claims.address === unknownAddress) this.#resyncPace.touch();
    else this.notePostWithoutToken(claims.address);
  }

  /** Notes a post without a valid token: its sender may be a pub-sub server. */
  notePostWithoutToken(address: string): void {
    const { book, pubSubPort } = this.#needs;
    if (!book.mayBePubSubServer(address)) return;
    const known = this.#serversAt(address);
    // No rate limit here: the actor of a server paces evidence, and loses none.
    if (known.length > 0) this.#sendEvidence(known);
    if (known.some((server) => this.#isPlausible(server))) return;
    if (book.mayContact(address, pubSubPort) && this.#strangers.allows(address))
      this.#addCandidate(toServerId(address, pubSubPort));
  }

  /** The answer to a start-up query. Call `afterwards` when it has been sent. */
  answerStartup(query: StartupQuery): { answer: StartupAnswer; afterwards: () => void } {
    const servers = this.#possibleSenders(query);
    if (servers.length === 0) return { answer: this.inactiveAnswer(), afterwards: () => {} };
    const active = this.#isActive();
    const eventsUrl = this.#urlFor(query, servers);
    const answer = eventsUrl === undefined ? this.inactiveAnswer() : { active, eventsUrl };
    if (query.isForwarded) return { answer, afterwards: () => active && this.#resyncPace.touch() };
    return { answer, afterwards: () => this.#sendAnswered(servers, active) };
  }

  inactiveAnswer(): StartupAnswer {
    return { active: false, eventsUrl: this.#needs.unusedUrl };
  }

  close(): void {
    this.#inbox.close();
    this.#resyncPace.close();
  }

  /** Notes that posts of a server arrive. Posts with deltas show that by themselves. */
  #noteArrival({ server, epoch, fromStartup }: Extract<TokenClaims, { kind: 'server' }>): void {
    if (this.#context.tally.hasPosted(server)) return;
    const post = { server, epoch, fromStartup, deltas: [] };
    this.#send({ type: 'deltas.received', posts: [post] });
  }

  /** The servers that may have sent a query; none if this service may not contact the sender. */
  #possibleSenders({ address, port, isForwarded }: StartupQuery): ServerId[] {
    const { book, pubSubPort } = this.#needs;
    if (!book.mayBePubSubServer(address)) return [];
    if (isForwarded) return this.#allServers();
    const known = this.#serversAt(address);
    const plausible = known.filter((server) => this.#isPlausible(server));
    if (port === undefined && plausible.length > 0) return plausible;
    const listening = port ?? pubSubPort;
    const same = known.filter((server) => hostAndPort(server).port === listening);
    if (same.length > 0) return same;
    return book.mayContact(address, listening) ? [toServerId(address, listening)] : [];
  }

  /** With a token for one server if only one can have sent the query, else for its address. */
  #urlFor(query: StartupQuery, [server, ...others]: ServerId[]): string | undefined {
    const { tokens, urlOf } = this.#needs;
    const { address, isForwarded, isMisnamed } = query;
    const isOne = server !== undefined && others.length === 0 && !isForwarded && !isMisnamed;
    if (!isOne) {
      const claimed = isForwarded ? unknownAddress : address;
      return urlOf(tokens.mint({ kind: 'address', address: claimed }), query);
    }
    const epoch = this.#context.tally.nextEpoch();
    return urlOf(tokens.mint({ kind: 'server', server, epoch, fromStartup: true }), query);
  }

  /** False for a candidate at an unusual port: it must not hide the server at the usual port. */
  #isPlausible(server: ServerId): boolean {
    const isProven = this.#context.roster.get(server)?.standing !== 'candidate';
    return isProven || hostAndPort(server).port === this.#needs.pubSubPort;
  }

  /** Has the sender asked by an actor of its own, so it gets one request at a time. */
  #addCandidate(server: ServerId): void {
    this.#send({ type: 'servers.found', servers: [server], standing: 'candidate' });
    // An active service asks every new server anyway.
    if (!this.#isActive()) this.#sendEvidence([server]);
  }

  #resyncAll(): void {
    if (this.#isActive()) this.#sendAnswered(this.#allServers(), true);
    else this.#sendEvidence(this.#allServers());
  }

  #sendAnswered(servers: readonly ServerId[], isActive: boolean): void {
    this.#send({ type: 'startup.answered', servers, isActive });
  }

  #sendEvidence(servers: readonly ServerId[]): void {
    this.#send({ type: 'evidence.found', servers });
  }

  /** During shutdown, posts on open connections are still answered but no longer counted. */
  #send(event: ActivationEvent): void {
    const { actor } = this.#needs;
    if (actor.getSnapshot().status === 'active') actor.send(event);
  }

  #isActive(): boolean {
    const snapshot = this.#needs.actor.getSnapshot();
    return snapshot.matches('activating') || snapshot.matches('active');
  }

  #serversAt(address: string): ServerId[] {
    return this.#needs.book.serversAt(address, this.#context.roster);
  }

  #allServers(): ServerId[] {
    return [...this.#context.roster].map(({ server }) => server);
  }

  get #context() {
    return this.#needs.actor.getSnapshot().context;
  }
}
