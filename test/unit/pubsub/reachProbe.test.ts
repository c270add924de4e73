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
  await Promise.resolve();
  expect(probe.reachesServers).toBeNull();
});
