import type { ServerId } from '../../machines/ports.js';

/** What probing needs of the rest of the service. */
export interface ReachProbeNeeds {
  /** The servers that this instance knows of. */
  servers: () => Promise<readonly ServerId[]>;
  /** Asks a server whether it is there. Rejects within a deadline if it does not answer. */
  ask: (server: ServerId, signal: AbortSignal) => Promise<unknown>;
  /** From 0 to 1. */
  random?: () => number;
}

const maxAsked = 3;

/**
 * Finds out whether an instance that does not lead reaches a pub-sub server. It asks a few of them, and only while
 * the leader says that it reaches none.
 */
export class ReachProbe {
  readonly #needs: ReachProbeNeeds;
  #reachesServers: boolean | null = null;
  #round: AbortController | undefined;

  constructor(needs: ReachProbeNeeds) {
    this.#needs = needs;
  }

  /** Null: it was not asked, or there is no answer yet. */
  get reachesServers(): boolean | null {
    return this.#reachesServers;
  }

  /** Called with each beat. `isAsked`: the leader reaches no server. */
  note(isAsked: boolean): void {
    if (!isAsked) this.close();
    else if (!this.#round) void this.#probe();
  }

  close(): void {
    this.#round?.abort();
    this.#round = undefined;
    this.#reachesServers = null;
  }

  async #probe(): Promise<void> {
    const round = new AbortController();
    this.#round = round;
    const isReached = await this.#askSome(round.signal).catch(() => false);
    if (round.signal.aborted) return;
    this.#reachesServers = isReached;
    this.#round = undefined;
  }

  async #askSome(signal: AbortSignal): Promise<boolean> {
    const { servers, ask, random = Math.random } = this.#needs;
    const some = pick([...(await servers())], random);
    const asked = some.map((server) => ask(server, signal));
    return Promise.any(asked).then(
      () => true,
      () => false,
    );
  }
}

function pick(servers: ServerId[], random: () => number): ServerId[] {
  const picked: ServerId[] = [];
  while (picked.length < maxAsked && servers.length > 0)
    picked.push(...servers.splice(Math.floor(random() * servers.length), 1));
  return picked;
}
