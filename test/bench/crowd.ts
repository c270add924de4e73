/**
 * Many viewers, and bad ones: 20 that stop reading the stream of whole maps with 10,000 rooms, and what
 * that costs in memory; 10,000 that are held, of which 1,000 come back at once.
 */
import { report } from './figures.js';
import { returningViewers } from './returningViewers.js';
import { stalledViewers } from './stalledViewers.js';

// Both at the same time: what they are judged by does not depend on how busy the machine is.
const figures = await Promise.all([stalledViewers(), returningViewers()]);
report('many viewers, and bad ones', figures.flat());
