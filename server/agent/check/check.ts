import type { Bench } from './bench.js';

/** One requirement of docs/protocol.md, and how to see whether a server meets it. */
export interface Check {
  readonly id: string;
  readonly level: 'MUST' | 'SHOULD';
  /** The anchor of the section in docs/protocol.md. */
  readonly section: string;
  readonly expects: string;
  /** Checks that must pass first. Otherwise this one would only repeat their failures. */
  readonly needs?: readonly string[];
  /** Resolves with what was seen. Throws a `Failure` or a `Skip`. */
  run(bench: Bench): Promise<string>;
}

/** The outcome of a check. */
export interface Result {
  readonly id: string;
  readonly result: 'pass' | 'fail' | 'skipped';
  readonly level: Check['level'];
  readonly expected: string;
  readonly seen: string;
  /** The section of the protocol that says so. */
  readonly link: string;
}
