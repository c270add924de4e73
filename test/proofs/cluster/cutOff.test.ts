/** Faults of networks, like those of `cluster.test.ts`. */

import { test } from '@jest/globals';
import { expectNoOffence } from './expectNoOffence.js';
import { canCutNetworks } from './network.js';

/** Containers may not create network namespaces. */
const inNetworks = canCutNetworks() ? test : test.skip;

inNetworks('the leader is cut off from the servers, not from Redis: another one leads', () =>
  expectNoOffence('the leader is cut off from the servers, not from Redis'),
);

inNetworks('the leader is cut off from Redis, not from the servers: another one leads', () =>
  expectNoOffence('the leader is cut off from Redis, not from the servers'),
);
