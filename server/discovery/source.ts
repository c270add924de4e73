import type { ServerId } from '../../machines/ports.js';

/** One way to find the pub-sub servers that run now; `discovery.ts` asks it again and again. */
export interface Source {
  /** As shown to operators, in a header too: letters, digits and `.:_-` only. */
  readonly name: string;
  /** Names addresses too at which no server has been since a crash: the rooms table, which nobody tidies. */
  readonly mayBeStale?: boolean;
  /** No server can have written to it: it need not have answered for all to be known. */
  readonly isOwn?: boolean;
  /** All servers that it names now. Rejects when it cannot tell; gives up when the signal aborts. */
  discover(signal: AbortSignal): Promise<ServerId[]>;
  /** Lets go of what it holds. Asked nothing afterwards. */
  close?(): void;
}
