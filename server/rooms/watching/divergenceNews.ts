import type { ServerId } from '../../../machines/ports.js';

/** What a round found. */
export interface DivergenceRound {
  /** Servers that have differed for a while. */
  flagged: readonly { server: string }[];
  /** Servers that differ in this round. */
  found: readonly { server: string }[];
  /** Servers whose state was read. Of the others nothing is known. */
  read: readonly ServerId[];
}

/** Tells when the servers of a room begin to differ, and when they agree again. */
export class DivergenceNews {
  readonly #tell: (differing: readonly string[]) => void;
  /** Servers that differed, and have not been read without a difference since. */
  #differing: readonly string[] = [];

  /** `tell`: called with the servers that differ from the others; with none when they agree again. */
  constructor(tell: (differing: readonly string[]) => void) {
    this.#tell = tell;
  }

  noteRound({ flagged, found, read }: DivergenceRound): void {
    const agreeing = new Set<string>(read);
    for (const { server } of found) agreeing.delete(server);
    const before = this.#differing;
    const still = before.filter((server) => !agreeing.has(server));
    this.#differing = [...new Set([...flagged.map(({ server }) => server), ...still])];
    if ((before.length === 0) !== (this.#differing.length === 0)) this.#tell(this.#differing);
  }
}
