import type { ServerId } from '../../machines/ports.js';

/** A way to find the running pub-sub servers, such as a DNS name. `Discovery` asks it in every round. */
export interface DiscoverySource {
  /** Shown to operators, also in a header: only letters, digits and `.:_-`. */
  readonly name: string;
  /** Whether it may name servers that crashed long ago: nobody cleans up the rooms table. */
  readonly mayBeStale?: boolean;
  /** Whether its table is embedded: no server can write to it, so totals can be complete without its answer. */
  readonly isEmbedded?: boolean;
  /** All servers that it names now. Rejects on failure, and when the signal aborts. */
  discover(signal: AbortSignal): Promise<ServerId[]>;
  /** Releases its resources. It is not asked afterwards. */
  close?(): void;
}
