/**
 * What several instances cost: a frame at a follower, and a post on its way to a viewer at a follower, each
 * beside one instance alone; a follower that nobody looks at, and what it asks of Redis; a million rooms
 * for a follower with its first viewer.
 */

import { clusterFrames } from './clusterFrames.js';
import { clusterIdle } from './clusterIdle.js';
import { clusterJoin } from './clusterJoin.js';
import { clusterLatency } from './clusterLatency.js';
import { report } from './figures.js';

const figures = [
  ...(await clusterIdle()),
  ...(await clusterLatency()),
  ...(await clusterFrames()),
  ...(await clusterJoin()),
];
report('several instances', figures);
