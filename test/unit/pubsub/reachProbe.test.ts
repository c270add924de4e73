import { beforeEach, expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { ReachProbe } from '../../../server/pubsub/reachProbe.js';
import { eventually } from '../../support/eventually.js';
import { serverIds } from '../machines/support/scriptedFleet.js';

let known: ServerId[];
let asked: { server: ServerId; signal: AbortSignal }[];
let answers: (server: ServerId) => Promise<unknown>;
let probe: ReachProbe;

beforeEach(() => {
  known = serverIds(10);
  asked = [];
  answers = () => Promise.reject(new Error('refused'));
  probe = new ReachProbe({
    servers: async () => known,
    ask: (server, signal) => {
      asked.push({ server, signal });
      return answers(server);
    },
  });
});

const outcome = (expected: boolean | null) =>
  eventually(() => expect(probe.reachesServers).toBe(expected));

test('an instance that is not asked asks no server', async () => {
  probe.note(false);
  await Promise.resolve();
  expect(asked).toEqual([]);
  expect(probe.reachesServers).toBeNull();
});

test('it asks three servers, and reaches them if one answers', async () => {
  answers = async (server) => {
    if (server !== asked[2]?.server) throw new Error('refused');
  };
  probe.note(true);
  await outcome(true);
  expect(new Set(asked.map(({ server }) => server)).size).toBe(3);
});

test('it reaches none if none of the three answers, and tries others with the next beat', async () => {
  probe.note(true);
  await outcome(false);
  answers = async () => undefined;
  probe.note(true);
  await outcome(true);
  expect(asked).toHaveLength(6);
});

test('it reaches none if it knows none', async () => {
  known = [];
  probe.note(true);
  await outcome(false);
});

test('it reaches none if it cannot find out which there are', async () => {
  probe = new ReachProbe({
    servers: () => Promise.reject(new Error('no table')),
    ask: async () => undefined,
  });
  probe.note(true);
  await outcome(false);
});

test('it asks all if it knows fewer than three', async () => {
  known = serverIds(2);
  probe.note(true);
  await outcome(false);
  expect(asked.map(({ server }) => server).sort()).toEqual(serverIds(2));
});

test('which it asks is drawn by lot', async () => {
  const draws = [0.99, 0, 0.5];
  probe = new ReachProbe({
    servers: async () => known,
    ask: async (server, signal) => void asked.push({ server, signal }),
    random: () => draws.shift() ?? 0,
  });
  probe.note(true);
  await outcome(true);
  expect(asked.map(({ server }) => server)).toEqual([known[9], known[0], known[5]]);
});

test('one round is open at a time', async () => {
  answers = () => new Promise(() => {});
  probe.note(true);
  await eventually(() => expect(asked).toHaveLength(3));
  probe.note(true);
  probe.note(true);
  await Promise.resolve();
  expect(asked).toHaveLength(3);
});

test('it forgets what it knows, and ends its requests, when it is no longer asked', async () => {
  answers = async () => undefined;
  probe.note(true);
  await outcome(true);
  probe.note(false);
  expect(probe.reachesServers).toBeNull();
  let answer = () => {};
  answers = () =>
    new Promise<void>((resolve) => {
      answer = resolve;
    });
  probe.note(true);
  await eventually(() => expect(asked).toHaveLength(6));
  probe.note(false);
  expect(asked.at(-1)?.signal.aborted).toBe(true);
  answer();
  // The answer has passed through everything that waits for it.
  await new Promise((resolve) => setImmediate(resolve));
  expect(probe.reachesServers).toBeNull();
});
