import type { ServerId } from '../../machines/ports.js';
import { type DeltaClaims, unknownAddress } from './eventTokens.js';
import type { KnownServers } from './knownServers.js';

/** What the posts of earlier terms need of the rest of the service. */
export interface EarlierPostsNeeds {
  servers: KnownServers;
  /** A post of an unknown sender at this address. */
  noteUnknown: (address: string) => void;
  /** Has all servers asked for snapshots soon. */
  resyncAll: () => void;
}

/**
 * Posts to URLs that the leaders before this one gave out. They are never counted: the first snapshot of this
 * term contains what they say. Until a server has sent that snapshot they are expected. Later they are evidence,
 * because the server should post to a new URL.
 */
export class EarlierPosts {
  readonly #needs: EarlierPostsNeeds;

  constructor(needs: EarlierPostsNeeds) {
    this.#needs = needs;
  }

  note(claims: DeltaClaims): void {
    if (claims.kind === 'address') this.#noteAddress(claims.address);
    else if (claims.fromStartup) this.#noteHost(claims.server);
    else this.#noteServer(claims.server);
  }

  #noteAddress(address: string): void {
    const { servers, noteUnknown, resyncAll } = this.#needs;
    if (address === unknownAddress) {
      if (servers.roster.isSettled) resyncAll();
      return;
    }
    const known = servers.at(address);
    if (known.length === 0 || this.#wrongAmong(known).length > 0) noteUnknown(address);
  }

  /** After a start-up query only the sender's host is certain. */
  #noteHost(server: ServerId): void {
    const { servers } = this.#needs;
    const known = servers.roster.ofSameHost(server).map((member) => member.server);
    const wrong = this.#wrongAmong(known);
    if (wrong.length > 0) servers.sendEvidence(wrong);
    if (known.length === 0) servers.addCandidate(server);
  }

  #noteServer(server: ServerId): void {
    const { servers } = this.#needs;
    if (!servers.roster.get(server)) servers.addCandidate(server);
    else if (this.#wrongAmong([server]).length > 0) servers.sendEvidence([server]);
  }

  /** Those that have sent a snapshot and post to an old URL, or should be silent and are not being told so. */
  #wrongAmong(known: readonly ServerId[]): ServerId[] {
    const { isActive, roster, tally } = this.#needs.servers;
    return known.filter((server) => {
      if (isActive) return tally.baseOf(server) !== undefined;
      const status = roster.get(server)?.status;
      return status === 'silent' || status === 'unknown';
    });
  }
}
