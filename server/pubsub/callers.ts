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
import type { Posted } from './deltas.js';
import type { EventTokens, TokenClaims } from './eventTokens.js';
import type { Asker, StartupAnswer } from './startupQuery.js';

/** What is needed to tell who calls back. */
export interface CallersNeeds {
  actor: ActivationActor;
  book: AddressBook;
  tokens: EventTokens;
  pubSubPort: number;
  /** How often every server is asked anyway, in milliseconds. */
  resyncIntervalMs: number;
  /** The events URL of a token for whoever asks; undefined: it cannot post to this service. */
  urlOf: (token: string, asker: Asker) => string | undefined;
  /** Where nobody is to post to. */
  unusedUrl: string;
  onHeard: (server: ServerId) => void;
  /** Sees what a server posted. */
  observe: (deltas: readonly Delta[]) => void;
  /** Takes an update that a server posted. */
  takeUpdate: (room: RoomName, update: Buffer) => void;
}

/** In place of an address: the caller is behind a proxy, and can be anybody. */
const anywhere = '';
const strangerIntervalMs = 10_000;
const resyncAllMs = 2000;

/**
 * Tells by token and address which pub-sub servers a call comes from, and turns it into events of
 * the machine: deltas, evidence, answered start-up queries.
 */
export class Callers {
  readonly #needs: CallersNeeds;
  readonly #inbox: DeltaInbox;
  readonly #strangers = new AtMostEvery(strangerIntervalMs);
  /** A start-up query through a proxy can be any server's, and anybody's who can forge a header. */
  readonly #resyncAll: Pace;

  constructor(needs: CallersNeeds) {
    this.#needs = needs;
    this.#inbox = new DeltaInbox((posts) => this.#send({ type: 'deltas.received', posts }));
    const interval = new GrowingInterval(resyncAllMs, needs.resyncIntervalMs);
    this.#resyncAll = new Pace(
      () => {
        interval.note(performance.now());
        this.#suspectEverybody();
      },
      () => interval.ms,
    );
  }

  take(claims: TokenClaims, { deltas, updates }: Posted): void {
    if (claims.kind === 'address') {
      this.noteLost(claims);
      return;
    }
    const { server, epoch, fromStartup } = claims;
    this.#needs.onHeard(server);
    if (deltas.length > 0) this.#inbox.put({ server, epoch, fromStartup, deltas });
    else this.#noteArrival(claims);
    // Anybody at the address of a server may have it: nothing of that is shown.
    if (fromStartup) return;
    this.#needs.observe(deltas);
    for (const { room, update } of updates)
      this.#needs.takeUpdate(room, Buffer.from(update, 'base64'));
  }

  noteLost(claims: TokenClaims): void {
    if (claims.kind === 'server') {
      this.#noteArrival(claims);
      this.#evidence([claims.server]);
    } else if (claims.address === anywhere) this.#resyncAll.touch();
    else this.noteStranger(claims.address);
  }

  /** A post without a delta shows, too, that posts of its server arrive. */
  #noteArrival({ server, epoch, fromStartup }: Extract<TokenClaims, { kind: 'server' }>): void {
    if (this.#context.tally.hasPosted(server)) return;
    const post = { server, epoch, fromStartup, deltas: [] };
    this.#send({ type: 'deltas.received', posts: [post] });
  }

  noteStranger(address: string): void {
    const { book, pubSubPort } = this.#needs;
    if (!book.mayBePubSubServer(address)) return;
    const known = this.#serversAt(address);
    // The actor of a server paces what is done about evidence, and forgets none meanwhile.
    if (known.length > 0) this.#evidence(known);
    if (known.some((server) => this.#isPlausible(server))) return;
    if (book.mayContact(address, pubSubPort) && this.#strangers.allows(address))
      this.#welcomePoster(toServerId(address, pubSubPort));
  }

  answerStartup(asker: Asker): { answer: StartupAnswer; afterwards: () => void } {
    const servers = this.#candidatesFor(asker);
    const [server] = servers;
    if (server === undefined) return { answer: this.inactiveAnswer(), afterwards: () => {} };
    const active = this.#isActive();
    const eventsUrl = this.#urlFor(asker, servers);
    const answer = eventsUrl === undefined ? this.inactiveAnswer() : { active, eventsUrl };
    if (asker.isForwarded) return { answer, afterwards: () => active && this.#resyncAll.touch() };
    return { answer, afterwards: () => this.#queried(servers, active) };
  }

  inactiveAnswer(): StartupAnswer {
    return { active: false, eventsUrl: this.#needs.unusedUrl };
  }

  close(): void {
    this.#inbox.close();
    this.#resyncAll.close();
  }

  /** The servers that may have asked; none: nobody whom this service may contact. */
  #candidatesFor({ address, port, isForwarded }: Asker): ServerId[] {
    const { book, pubSubPort } = this.#needs;
    if (!book.mayBePubSubServer(address)) return [];
    if (isForwarded) return this.#everybody();
    const known = this.#serversAt(address);
    const plausible = known.filter((server) => this.#isPlausible(server));
    if (port === undefined && plausible.length > 0) return plausible;
    const asked = port ?? pubSubPort;
    const same = known.filter((server) => hostAndPort(server).port === asked);
    if (same.length > 0) return same;
    return book.mayContact(address, asked) ? [toServerId(address, asked)] : [];
  }

  #urlFor(asker: Asker, [server, ...others]: ServerId[]): string | undefined {
    const { tokens, urlOf } = this.#needs;
    const { address, isForwarded, isMisnamed } = asker;
    const isOne = server !== undefined && others.length === 0 && !isForwarded && !isMisnamed;
    if (!isOne)
      return urlOf(
        tokens.mint({ kind: 'address', address: isForwarded ? anywhere : address }),
        asker,
      );
    const epoch = this.#context.tally.nextEpoch();
    return urlOf(tokens.mint({ kind: 'server', server, epoch, fromStartup: true }), asker);
  }

  /** Whoever only says that it is at an address is not to hide who is at the usual port there. */
  #isPlausible(server: ServerId): boolean {
    const isProved = this.#context.roster.get(server)?.standing !== 'candidate';
    return isProved || hostAndPort(server).port === this.#needs.pubSubPort;
  }

  /** What posts may be a pub-sub server; its own actor asks it, so that it is asked one thing at a time. */
  #welcomePoster(server: ServerId): void {
    this.#send({ type: 'servers.found', servers: [server], standing: 'candidate' });
    // While somebody looks it is asked for its connections anyway.
    if (!this.#isActive()) this.#evidence([server]);
  }

  #suspectEverybody(): void {
    if (this.#isActive()) this.#queried(this.#everybody(), true);
    else this.#evidence(this.#everybody());
  }

  #queried(servers: readonly ServerId[], isActive: boolean): void {
    this.#send({ type: 'startup.answered', servers, isActive });
  }

  #evidence(servers: readonly ServerId[]): void {
    this.#send({ type: 'evidence.found', servers });
  }

  /** While the service ends, what comes on its last connections is answered, and means nothing. */
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

  #everybody(): ServerId[] {
    return [...this.#context.roster].map(({ server }) => server);
  }

  get #context() {
    return this.#needs.actor.getSnapshot().context;
  }
}
