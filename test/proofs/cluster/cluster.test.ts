/** The quick form of `npm run cluster`: each fault once or twice, on a cluster of its own. */

import { test } from '@jest/globals';
import { expectNoOffence } from './expectNoOffence.js';

test('the leader is killed under load: nothing wrong is said to be complete, and all viewers are right again', () =>
  expectNoOffence('the leader is killed under load'));

test('the leader is killed while nobody looks: the next viewers are right', () =>
  expectNoOffence('the leader is killed while nobody looks'));

test('the leader is killed during an activation: its viewers are right at another instance', () =>
  expectNoOffence('the leader is killed during an activation'));

test('the leader is killed during a deactivation: the servers fall silent, and the next viewers are right', () =>
  expectNoOffence('the leader is killed during a deactivation'));

test('the leader is suspended for 10 s and goes on: another one leads, and the old one does no harm', () =>
  expectNoOffence('the leader is suspended for 10 s and goes on'));

test('Redis is killed and restarted empty: the last numbers are shown as incomplete, then all are right', () =>
  expectNoOffence('Redis is killed and restarted empty'));

test('the leader reaches no server, while their posts arrive: another one leads', () =>
  expectNoOffence('the leader reaches no server, while their posts arrive'));

test('viewers who come back to another instance resume by Last-Event-ID', () =>
  expectNoOffence('viewers who come back to another instance resume'));

test('all instances are replaced one by one under load: no number flickers, no map is empty', () =>
  expectNoOffence('all instances are replaced one by one under load'));
