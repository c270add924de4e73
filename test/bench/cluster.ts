/**
 * What several instances cost: a frame at a follower, and a post on its way to a viewer at a follower, each
 * beside one instance alone; a follower that nobody looks at, and what it asks of Redis.
 */

import { clusterFrames } from './clusterFrames.js';
import { clusterIdle } from './clusterIdle.js';
import { clusterLatency } from './clusterLatency.js';
import { report } from './figures.js';

report('several instances that nobody looks at', await clusterIdle());
report('a viewer at a follower', await clusterLatency());
report('frames to viewers at a follower, 50 events a second', await clusterFrames());
