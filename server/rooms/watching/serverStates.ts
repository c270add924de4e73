import { createHash } from 'node:crypto';
import type { ServerId } from '../../../machines/ports.js';
import type { DocumentClient } from '../../documents/documentClient.js';
import { DocumentError } from '../../documents/documentErrors.js';
import type { AddedRanges } from '../../documents/documentProtocol.js';
import type { MissingRanges } from '../../wire/divergence.js';
import type { UnreadableServer, WaitingServer } from '../../wire/roomStatus.js';

/** What happens while the states of servers are merged. */
export interface ServerStatesEvents {
  /** A state brought something new. */
  onAdded: (server: ServerId, added: AddedRanges) => void;
  /** The room is too large for a document. The new state of this server is kept as it is. */
  onTooLarge: (server: ServerId) => void;
  /** A state was dropped. All states have to be merged again. */
  onGap: () => void;
}

/** The servers of a round, by what became of their states. */
export interface RoundServers {
  read: readonly ServerId[];
  unreadable: readonly UnreadableServer[];
  /** Servers among `read` that cannot apply updates because they lack others. */
  waiting: readonly WaitingServer[];
}

/** `lost`: the outcome is unknown, and the state is fetched again. */
type Outcome = 'read' | 'unreadable' | 'lost';

const readOutcome: Promise<Outcome> = Promise.resolve('read');
const unreadableOutcome: Promise<Outcome> = Promise.resolve('unreadable');

/** Merges the states that the servers of a room send, round by round. */
export class ServerStates {
  readonly #document: DocumentClient;
  readonly #events: ServerStatesEvents;
  /** Servers that sent their state in this round. */
  #round = new Map<ServerId, Promise<Outcome>>();
  /** Hashes of the merged states: most polled states bring nothing new. */
  readonly #hashes = new Map<ServerId, string>();
  /** States that could not be read. They are not tried again until the server sends another one. */
  readonly #refused = new Map<ServerId, { hash: string; reason: string }>();
  /** What servers lack, from their merged states. */
  readonly #waiting = new Map<ServerId, MissingRanges>();
  /** The states themselves, in a room that is too large for a document. */
  #unmerged: Map<ServerId, Uint8Array> | undefined;
  /** Changes with each `reset`: an older round tells nothing about the new document. */
  #generation = 0;

  constructor(document: DocumentClient, events: ServerStatesEvents) {
    this.#document = document;
    this.#events = events;
  }

  /** The states of all servers if the room is too large for a document; otherwise undefined. */
  get unmerged(): ReadonlyMap<ServerId, Uint8Array> | undefined {
    return this.#unmerged;
  }

  /** Merges the whole state of a server and takes it over. */
  merge(server: ServerId, state: Uint8Array): void {
    const hash = createHash('sha1').update(state).digest('base64');
    this.#round.set(server, this.#outcome(server, state, hash));
  }

  /** Waits until the states of this round are merged. Undefined: the document was lost meanwhile. */
  async endRound(): Promise<RoundServers | undefined> {
    const round = [...this.#round];
    const generation = this.#generation;
    this.#round = new Map();
    const outcomes = await Promise.all(round.map(([, outcome]) => outcome));
    if (generation !== this.#generation) return undefined;
    const serversThat = (outcome: Outcome) =>
      round.flatMap(([server], i) => (outcomes[i] === outcome ? [server] : []));
    const read = serversThat('read');
    const unreadable = this.#reasonsOf(serversThat('unreadable'));
    return { read, unreadable, waiting: this.#waitingOf(read) };
  }

  /** Merges every state again, even if it is the same as before. */
  forgetHashes(): void {
    this.#hashes.clear();
  }

  /** The document is empty again. */
  reset(): void {
    this.#generation += 1;
    this.#unmerged = undefined;
    this.#hashes.clear();
    this.#round = new Map();
  }

  #outcome(server: ServerId, state: Uint8Array, hash: string): Promise<Outcome> {
    if (this.#hashes.get(server) === hash) return readOutcome;
    if (this.#refused.get(server)?.hash === hash) return unreadableOutcome;
    return this.#merge(server, state, hash);
  }

  async #merge(server: ServerId, state: Uint8Array, hash: string): Promise<Outcome> {
    try {
      const merged = await this.#document.merge(state, server);
      this.#hashes.set(server, hash);
      this.#refused.delete(server);
      if (merged.waiting) this.#waiting.set(server, merged.waiting);
      else this.#waiting.delete(server);
      if (merged.type === 'tooLarge') {
        this.#unmerged = (this.#unmerged ?? new Map()).set(server, merged.state);
        this.#events.onTooLarge(server);
      } else if (merged.isChanged) {
        this.#events.onAdded(server, merged.added);
      }
      return 'read';
    } catch (error) {
      return this.#failMerge(error, server, hash);
    }
  }

  #failMerge(error: unknown, server: ServerId, hash: string): Outcome {
    const { code, message } = error instanceof DocumentError ? error : { code: '', message: '' };
    if (code === 'backlog') this.#events.onGap();
    if (code !== 'bad_update' && code !== 'too_heavy') return 'lost';
    // A room that is refused for a while is tried again with any state.
    this.#refused.set(server, { hash: code === 'too_heavy' ? '' : hash, reason: message });
    return 'unreadable';
  }

  #reasonsOf(servers: readonly ServerId[]): UnreadableServer[] {
    const unreadable = servers.map((server) => {
      const { reason = '' } = this.#refused.get(server) ?? {};
      return { server, reason };
    });
    for (const server of this.#refused.keys())
      if (!servers.includes(server)) this.#refused.delete(server);
    return unreadable;
  }

  #waitingOf(servers: readonly ServerId[]): WaitingServer[] {
    return servers.flatMap((server) => {
      const missing = this.#waiting.get(server);
      return missing ? [{ server, ...missing }] : [];
    });
  }
}
