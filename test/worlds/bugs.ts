import type { Bug } from './bug.js';
import { chartBugs } from './chartBugs.js';
import { countingBugs } from './countingBugs.js';

/** Mistakes by what they do, none of them in the code of the service. */
export const bugs: Readonly<Record<string, Bug>> = { ...countingBugs, ...chartBugs };
