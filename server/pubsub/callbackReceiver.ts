import type { ActivationActor } from '../../machines/activationMachine.js';
import type { RoomName, ServerId, Term } from '../../machines/ports.js';
import type { Delta } from '../../machines/tally.js';
import { toServerId } from '../addresses.js';
import { AtMostEvery } from '../timing/atMostEvery.js';
import { GrowingInterval } from '../timing/growingInterval.js';
import { Pace } from '../timing/pace.js';
import type { AddressBook } from './addressBook.js';
import { type Batch, DeltaInbox } from './deltaInbox.js';
import { EarlierPosts } from './earlierPosts.js';
import {
  type DeltaClaims,
  type EventTokens,
  type ServerClaims,
  type TokenClaims,
  unknownAddress,
} from './eventTokens.js';
import { KnownServers } from './knownServers.js';
import type { ContentEntry } from './parseContent.js';
import type { Posted } from './parsePosted.js';
import { type Answered, StartupQueries } from './startupQueries.js';
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
  /** Whether an unknown server that posts is asked. With a secret, only signed queries make one known. */
  takesStrangers?: boolean;
  /** The run that a server last told of; undefined: none. */
  runOf?: (server: ServerId) => string | undefined;
  /** In a cluster: the sender of a query is not known to be a pub-sub server. */
  noteNewcomer?: ((query: StartupQuery) => void) | undefined;
  /** Called when a server has posted. */
  onHeard: (server: ServerId) => void;
  /** Called with each batch of posts when the machine has taken it. */
  onBatch?: ((batch: Batch) => void) | undefined;
  /** Called with the deltas that a server posted. */
  observe: (server: ServerId, deltas: readonly Delta[]) => void;
  /** Called with each update that a server posted. */
  takeUpdate: (room: RoomName, update: Buffer) => void;
  /** Called with what a server posted about watched rooms. */
  takeContent: (server: ServerId, entries: readonly ContentEntry[]) => void;
  /** A post of a server about watched rooms was refused. */
  noteLostContent: (server: ServerId) => void;
}

/** Stands for deltas that are not counted. */
const missingDelta: Delta = { room: '', add: 1 };
const strangerIntervalMs = 10_000;
const firstResyncAllMs = 2000;

/**
 * Receives posts and start-up queries of pub-sub servers. Finds out which servers sent them, by token and
 * address, and turns them into events of the machine: deltas, evidence, answered start-up queries.
 */
export class CallbackReceiver {
  readonly #needs: CallbackReceiverNeeds;
  readonly #servers: KnownServers;
  readonly #queries: StartupQueries;
  readonly #inbox: DeltaInbox;
  readonly #earlierPosts: EarlierPosts;
  /** Limits how often one address can add a candidate. */
  readonly #strangers = new AtMostEvery(strangerIntervalMs);
  /** Limits resyncs of all servers: anyone who can forge a header can send a query through a proxy. */
  readonly #resyncPace: Pace;

  constructor(needs: CallbackReceiverNeeds) {
    this.#needs = needs;
    this.#servers = new KnownServers(needs);
    this.#earlierPosts = new EarlierPosts({
      servers: this.#servers,
      noteUnknown: (address) => this.notePostWithoutToken(address),
      resyncAll: () => this.#resyncPace.touch(),
    });
    this.#inbox = new DeltaInbox((posts, batch) => {
      this.#servers.send({ type: 'deltas.received', posts });
      needs.onBatch?.(batch);
    });
    this.#queries = new StartupQueries({
      runOf: () => undefined,
      ...needs,
      servers: this.#servers,
      resyncAll: () => this.#resyncPace.touch(),
    });
    const interval = new GrowingInterval(firstResyncAllMs, needs.resyncIntervalMs);
    this.#resyncPace = new Pace(
      () => {
        interval.note(performance.now());
        this.#resyncAll();
      },
      () => interval.ms,
    );
  }

  /** The term of the leadership that this receiver belongs to; undefined: no cluster. */
  get term(): Term | undefined {
    return this.#needs.tokens.term;
  }

  /** Takes a post with a valid token. */
  take(claims: DeltaClaims, { deltas, updates }: Posted): void {
    if (claims.kind === 'address') {
      // The evidence below brings a newer snapshot.
      if (deltas.length > 0) this.#noteMissing(claims.address);
      this.noteUncountedPost(claims);
      return;
    }
    const { server, epoch, fromStartup } = claims;
    this.#needs.onHeard(server);
    if (this.#isEarlier(claims)) {
      this.#earlierPosts.note(claims);
      return;
    }
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
    else if (this.#isEarlier(claims)) this.#earlierPosts.note(claims);
    else if (claims.kind === 'server') {
      this.#noteArrival(claims);
      this.#servers.sendEvidence([claims.server]);
    } else if (claims.address === unknownAddress) this.#resyncPace.touch();
    else this.notePostWithoutToken(claims.address);
  }

  /** Notes a post without a valid token: its sender may be a pub-sub server. */
  notePostWithoutToken(address: string): void {
    const { book, pubSubPort, takesStrangers = true } = this.#needs;
    if (!book.mayBePubSubServer(address)) return;
    const known = this.#servers.at(address);
    // No rate limit here: the actor of a server paces evidence, and loses none.
    if (known.length > 0) this.#servers.sendEvidence(known);
    if (!takesStrangers || known.some((server) => this.#servers.isPlausible(server))) return;
    if (book.mayContact(address, pubSubPort) && this.#strangers.allows(address))
      this.#servers.addCandidate(toServerId(address, pubSubPort));
  }

  /** The answer to a start-up query. Call `afterwards` when it has been sent. */
  answerStartup(query: StartupQuery): Answered {
    return this.#queries.answer(query);
  }

  inactiveAnswer(): StartupAnswer {
    return this.#queries.inactiveAnswer();
  }

  close(): void {
    this.#inbox.close();
    this.#resyncPace.close();
  }

  /** Notes that posts of a server arrive. Posts with deltas show that by themselves. */
  #noteArrival({ server, epoch, fromStartup }: ServerClaims): void {
    if (this.#servers.tally.hasPosted(server)) return;
    const post = { server, epoch, fromStartup, deltas: [] };
    this.#servers.send({ type: 'deltas.received', posts: [post] });
  }

  /**
   * In a cluster, other instances give servers URLs that only name their address. What is posted there is missing
   * until the next snapshot, like what is posted to the URL of a start-up answer.
   */
  #noteMissing(address: string): void {
    if (this.term === undefined || address === unknownAddress) return;
    const { tally } = this.#servers;
    const epoch = tally.nextEpoch();
    const posts = this.#servers
      .at(address)
      .filter((server) => tally.baseOf(server) !== undefined)
      .map((server) => ({ server, epoch, fromStartup: true, deltas: [missingDelta] }));
    if (posts.length > 0) this.#servers.send({ type: 'deltas.received', posts });
  }

  /** Whether the token is of an earlier leader. Without a cluster there is none: its tokens would be unknown. */
  #isEarlier({ term }: TokenClaims): boolean {
    return term !== this.term;
  }

  #resyncAll(): void {
    const servers = this.#servers;
    if (servers.isActive) servers.sendAnswered(servers.all());
    else servers.sendEvidence(servers.all());
  }
}
