import type { ActivationActor } from '../../machines/activationMachine.js';
import type { ActivationEvent } from '../../machines/activationSetup.js';
import type { ServerId } from '../../machines/ports.js';
import { hostAndPort } from '../addresses.js';
import { sendIfActive } from '../sendIfActive.js';
import type { AddressBook } from './addressBook.js';

/** What the known servers need of the rest of the service. */
export interface KnownServersNeeds {
  actor: ActivationActor;
  book: AddressBook;
  pubSubPort: number;
}

/** The servers that the machine knows, and the events about them that senders of posts and queries cause. */
export class KnownServers {
  readonly #needs: KnownServersNeeds;

  constructor(needs: KnownServersNeeds) {
    this.#needs = needs;
  }

  /** Whether servers should post now. */
  get isActive(): boolean {
    const snapshot = this.#needs.actor.getSnapshot();
    return snapshot.matches('activating') || snapshot.matches('active');
  }

  get roster() {
    return this.#context.roster;
  }

  get tally() {
    return this.#context.tally;
  }

  /** All servers, including candidates. */
  all(): ServerId[] {
    return [...this.roster].map(({ server }) => server);
  }

  /** The servers at an address, including candidates. */
  at(address: string): ServerId[] {
    return this.#needs.book.serversAt(address, this.roster);
  }

  /** False for a candidate at an unusual port: it must not hide the server at the usual port. */
  isPlausible(server: ServerId): boolean {
    const isProven = this.roster.get(server)?.standing !== 'candidate';
    return isProven || hostAndPort(server).port === this.#needs.pubSubPort;
  }

  /** Has the sender asked by an actor of its own, so it gets one request at a time. */
  addCandidate(server: ServerId): void {
    this.send({ type: 'servers.found', servers: [server], standing: 'candidate' });
    // An active service asks every new server anyway.
    if (!this.isActive) this.sendEvidence([server]);
  }

  sendAnswered(servers: readonly ServerId[]): void {
    this.send({ type: 'startup.answered', servers });
  }

  sendEvidence(servers: readonly ServerId[]): void {
    this.send({ type: 'evidence.found', servers });
  }

  /** During shutdown, posts on open connections are still answered but no longer counted. */
  send(event: ActivationEvent): void {
    sendIfActive(this.#needs.actor, event);
  }

  get #context() {
    return this.#needs.actor.getSnapshot().context;
  }
}
