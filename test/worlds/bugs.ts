import type { Bug } from './bug.js';
import { chartBugs } from './chartBugs.js';
import { countingBugs } from './countingBugs.js';

/** Deliberate bugs by their effect. None is in the service. */
export const bugs: Readonly<Record<string, Bug>> = { ...countingBugs, ...chartBugs };
