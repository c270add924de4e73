import type { ClockRange, Divergence, MissingRanges } from '../../wire/divergence.js';

/** What a server lacks, or has in conflict with others. */
type Finding = MissingRanges & {
  readonly server: string;
  readonly conflicts?: readonly ClockRange[];
};

/** The first finding about a server. */
interface FirstFinding {
  finding: Finding;
  sinceMs: number;
}

/** A finding must last this long to count, because updates take a while to reach all servers. */
const settleMs = 2000;

/**
 * Flags servers that hold different documents, and not those that were asked in the middle of an edit. A server is
 * flagged if it still lacks something that it lacked 2 s ago, however much is edited meanwhile.
 */
export class DivergenceWatch<Each extends Finding = Divergence> {
  readonly #now: () => number;
  readonly #first = new Map<string, FirstFinding>();
  #flagged: readonly Each[] = [];

  /** `now`: milliseconds of a monotonic clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes the findings of a round. Returns whether the flagged servers changed. */
  noteRound(findings: readonly Each[]): boolean {
    const before = JSON.stringify(this.#flagged);
    const servers = new Set(findings.map(({ server }) => server));
    for (const server of this.#first.keys()) if (!servers.has(server)) this.#first.delete(server);
    this.#flagged = findings.filter((each) => this.#lasts(each));
    return JSON.stringify(this.#flagged) !== before;
  }

  /** Findings that lasted. Empty: there are none, or it is not certain. */
  get flagged(): readonly Each[] {
    return this.#flagged;
  }

  #lasts(finding: Each): boolean {
    const first = this.#first.get(finding.server);
    if (first && isSame(first.finding, finding)) return this.#now() - first.sinceMs >= settleMs;
    this.#first.set(finding.server, { finding, sinceMs: this.#now() });
    return false;
  }
}

function isSame(before: Finding, now: Finding): boolean {
  return (
    overlap(before.structs, now.structs) ||
    overlap(before.deletions, now.deletions) ||
    overlap(before.conflicts ?? [], now.conflicts ?? [])
  );
}

function overlap(some: readonly ClockRange[], others: readonly ClockRange[]): boolean {
  return some.some(({ client, from, to }) =>
    others.some((other) => other.client === client && other.from < to && from < other.to),
  );
}
