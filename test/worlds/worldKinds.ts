import type { Bug } from './bug.js';
import { bugs } from './bugs.js';
import { Coverage, type Place } from './coverage.js';
import { happeningKinds, otherFaults } from './happenings.js';
import { makeInstanceMachines } from './instances/instanceMachines.js';
import type { InstancesBug } from './instances/instancesBug.js';
import { instancesBugs } from './instances/instancesBugs.js';
import { instancesHappenings } from './instances/instancesHappenings.js';
import { InstancesWorld } from './instances/instancesWorld.js';
import { linkFaultKinds } from './instances/links.js';
import { makeMachines } from './machines.js';
import { networkFaultKinds } from './network.js';
import { addWorld, emptyReport, type Report } from './report.js';
import { type RoomBug, roomBugs } from './rooms/roomBugs.js';
import { lostUpdate, roomHappenings } from './rooms/roomPlan.js';
import { simulatedRoom } from './rooms/roomSlots.js';
import { RoomWorld } from './rooms/roomWorld.js';
import { liveThrough, runWorld, traceInspector, type WorldResult } from './runWorld.js';
import type { WorldOptions } from './world.js';

export type WorldKind = 'service' | 'rooms' | 'instances';

/** The worlds to run: first seed, step, and number or end time. */
export interface Range {
  readonly firstSeed: number;
  readonly step?: number;
  readonly worlds?: number;
  /** `performance.now()` of this process. */
  readonly untilMs?: number;
}

type Observed = Pick<WorldOptions, 'trace' | 'inspect'>;

export interface Kind {
  /** Runs worlds. Yields the report so far after each. */
  run: (range: Range) => Generator<Report, void>;
  /** Runs one world without an observer. */
  live: (seed: number) => WorldResult;
  /** Runs one world with a trace. Returns the promise that it broke. */
  replay: (seed: number, say: (line: string) => void) => string | undefined;
  /** All kinds of faults. */
  faults: readonly string[];
  /** All states and transitions of the machines. */
  places: () => Place[];
}

const faultsOf = (happenings: Readonly<Record<string, { readonly isFault?: boolean }>>) =>
  Object.keys(happenings).filter((kind) => happenings[kind]?.isFault);

/** Worlds of the service, with or without a bug. */
function serviceWorlds(bug?: Bug): Kind {
  const machines = makeMachines(bug);
  return kindOf(
    (seed, observed) => runWorld(seed, { machines, bug, ...observed }),
    () => new Coverage([machines.activation, machines.pubSubServer]),
    [...faultsOf(happeningKinds), ...otherFaults, ...networkFaultKinds],
  );
}

function roomWorlds(bug?: RoomBug): Kind {
  const machine = bug ? bug.room(simulatedRoom) : simulatedRoom;
  return kindOf(
    (seed, observed) => liveThrough(seed, new RoomWorld(seed, { machine, ...observed })),
    () => new Coverage([machine]),
    [...faultsOf(roomHappenings), lostUpdate],
  );
}

/** Worlds of several instances. */
function instancesWorlds(bug?: InstancesBug): Kind {
  const machines = makeInstanceMachines(bug);
  return kindOf(
    (seed, observed) => {
      const world = new InstancesWorld(seed, { machines, bug, ...observed });
      return liveThrough(seed, world, world.time);
    },
    () => new Coverage([machines.instance, machines.activation, machines.pubSubServer]),
    [
      ...faultsOf(instancesHappenings),
      ...linkFaultKinds,
      'both clocks stand still',
      'silence of a leader that has ended',
    ],
  );
}

/** What `npm run simulate` can run. */
export const kinds: Readonly<Record<WorldKind, Kind>> = {
  service: serviceWorlds(),
  rooms: roomWorlds(),
  instances: instancesWorlds(),
};

/** The same worlds with a deliberate bug. Undefined if no bug has this name. */
export function spoiltKind(kind: WorldKind, name: string): Kind | undefined {
  const bug = bugs[name];
  const roomBug = roomBugs[name];
  const instancesBug = instancesBugs[name];
  if (kind === 'instances') return instancesBug && instancesWorlds(instancesBug);
  if (kind === 'rooms') return roomBug && roomWorlds(roomBug);
  return bug && serviceWorlds(bug);
}

/** So many worlds are observed, and then every tenth: that takes a twentieth of the time of a world. */
const observedWorlds = 2000;

function kindOf(
  live: (seed: number, observed: Observed) => WorldResult,
  makeCoverage: () => Coverage,
  faults: readonly string[],
): Kind {
  return {
    *run({ firstSeed, step = 1, worlds = Number.POSITIVE_INFINITY, untilMs }) {
      const coverage = makeCoverage();
      const report = emptyReport();
      for (let i = 0; i < worlds; i += 1) {
        if (untilMs !== undefined && performance.now() >= untilMs) return;
        const isObserved = i < observedWorlds || i % 10 === 0;
        const observed = isObserved ? { inspect: coverage.observe } : {};
        addWorld(report, live(firstSeed + i * step, observed));
        report.reached = coverage.reached;
        yield report;
      }
    },
    live: (seed) => live(seed, {}),
    replay: (seed, say) => live(seed, { trace: say, inspect: traceInspector(say) }).broken,
    faults,
    // No other instance counts before, so nothing is taken over.
    places: () => makeCoverage().all.filter((place) => !place.includes('[isTakeover]')),
  };
}
