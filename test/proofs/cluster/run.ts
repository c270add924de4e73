import { Cluster } from './cluster.js';
import { createNetwork } from './network.js';
import type { Findings, Scenario } from './scenarios.js';

/** What a scenario found, and whether a promise was broken. */
export interface Outcome {
  readonly scenario: string;
  readonly rounds: number;
  readonly seconds: number;
  /** From the fault until all viewers were right and complete: p50, p99 and worst, in milliseconds. */
  readonly allRight: Figures;
  /** The same, viewer by viewer. */
  readonly viewerRight: Figures;
  readonly notes: Record<string, number>;
  /** How the longest recovery came about. */
  readonly longestRecovery: string;
  /** How the longest time came about that a wrong number was said to be complete. */
  readonly longestWrong: string;
  /** Broken promises, in words. */
  readonly offences: readonly string[];
}

interface Figures {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly worst: number | null;
}

/** The settings of a run. */
export interface RunOptions {
  rounds?: number;
  instances?: number;
  seed?: number;
}

/** Plays a scenario on a cluster of its own. Never leaves anything running. */
export async function run(scenario: Scenario, options: RunOptions = {}): Promise<Outcome> {
  const { rounds = scenario.quickRounds, instances = 3, seed = 1 } = options;
  const beganAtMs = performance.now();
  const network = scenario.needsNetwork ? createNetwork(instances) : undefined;
  const cluster = await Cluster.start({
    instances,
    seed,
    ...(network && { network }),
    ...(scenario.env && { env: scenario.env }),
  });
  let findings: Findings = { allRightMs: [], viewerRightMs: [], notes: {} };
  const failures: string[] = [];
  try {
    findings = await scenario.play(cluster, rounds);
  } catch (cause) {
    failures.push(`${(cause as Error).message}\n${cluster.inWords()}`);
  }
  const offences = cluster.referee.offences.map(({ text }) => text);
  if (offences.length > 0)
    for (const { url, happened } of cluster.instances)
      offences.push(`${url}: ${happened.join(', ')}`);
  if (offences.length > 0) offences.push(`logs: ${cluster.folder}`);
  const pauseMs = Math.round(cluster.referee.longestPauseMs);
  const wrongMs = Math.round(cluster.referee.longestWrongMs);
  await cluster.stop();
  return {
    scenario: scenario.name,
    rounds,
    seconds: Math.round((performance.now() - beganAtMs) / 1_000),
    allRight: figuresOf(findings.allRightMs),
    viewerRight: figuresOf(findings.viewerRightMs),
    notes: {
      ...findings.notes,
      'longest time that a wrong number was said to be complete, ms': wrongMs,
      'longest pause of the judging process, ms': pauseMs,
    },
    longestRecovery: findings.longest ?? '',
    longestWrong: cluster.referee.longestWrong,
    offences: [...failures, ...offences],
  };
}

function figuresOf(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { p50: at(0.5), p99: at(0.99), worst: sorted.at(-1) ?? null };
}
