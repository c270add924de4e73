import { Coverage, type Place } from './coverage.js';
import { makeMachines } from './machines.js';
import { addWorld, emptyReport, type Report } from './report.js';
import { simulatedRoom } from './rooms/roomSlots.js';
import { RoomWorld, type RoomWorldOptions } from './rooms/roomWorld.js';
import { liveThrough, runWorld, traceInspector, type WorldResult } from './runWorld.js';
import type { WorldOptions } from './world.js';

export type WorldKind = 'service' | 'rooms';

/** Which worlds to run: from a seed on, every so manieth, so many of them or until a time. */
export interface Range {
  readonly firstSeed: number;
  readonly step?: number;
  readonly worlds?: number;
  /** `performance.now()` of this process. */
  readonly untilMs?: number;
}

type Observed = Pick<WorldOptions, 'trace' | 'inspect'>;

interface Kind {
  /** Runs worlds, and answers the report so far after each. */
  run: (range: Range) => Generator<Report, void>;
  /** Lives one world line by line; answers the promise that it broke. */
  replay: (seed: number, say: (line: string) => void) => string | undefined;
  /** All states and transitions that there are to reach. */
  places: () => Place[];
}

const machines = makeMachines();

const runRoomWorld = (seed: number, options: RoomWorldOptions) =>
  liveThrough(seed, new RoomWorld(seed, options));

/** What `npm run simulate` can run. */
export const kinds: Readonly<Record<WorldKind, Kind>> = {
  service: kindOf(
    (seed, observed) => runWorld(seed, { machines, ...observed }),
    () => new Coverage([machines.activation, machines.pubSubServer]),
  ),
  rooms: kindOf(
    (seed, observed) => runRoomWorld(seed, { machine: simulatedRoom, ...observed }),
    () => new Coverage([simulatedRoom]),
  ),
};

function kindOf(
  live: (seed: number, observed: Observed) => WorldResult,
  makeCoverage: () => Coverage,
): Kind {
  return {
    *run({ firstSeed, step = 1, worlds = Number.POSITIVE_INFINITY, untilMs }) {
      const coverage = makeCoverage();
      const report = emptyReport();
      for (let i = 0; i < worlds; i += 1) {
        if (untilMs !== undefined && performance.now() >= untilMs) return;
        addWorld(report, live(firstSeed + i * step, { inspect: coverage.observe }));
        report.reached = coverage.reached;
        yield report;
      }
    },
    replay: (seed, say) => live(seed, { trace: say, inspect: traceInspector(say) }).broken,
    places: () => makeCoverage().all,
  };
}
