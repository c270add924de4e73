import { expect, test } from '@jest/globals';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { createApp } from '../../../server/http/app.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const findings = { diverged: [], unreadable: [], waitingFor: [], garbage: 0 };

interface Instance {
  instance: string;
  url: string;
  asked: string[];
}

/** Instances that know each other. Each watches one room, with a log of some entries. */
async function startInstances(watched: Record<string, { room: string; entries: number }>) {
  const all: Instance[] = [];
  for (const [instance, { room, entries }] of Object.entries(watched)) {
    const asked: string[] = [];
    const log = Array.from({ length: entries }, (_, i) => ({ number: i + 1, at: instance }));
    const get = (name: string) => {
      asked.push(name);
      return name === room ? { findings: () => findings, log: () => log } : undefined;
    };
    const signatures = new InstanceSignatures(clusterSecret, instance);
    const peers = () => all.filter((other) => other.instance !== instance);
    const needs = appNeeds({
      cluster: clusterNeeds(signatures, { peers }),
      roomStreams: { watches: { get } } as never,
    });
    all.push({ instance, url: (await harness.app(createApp(needs))).url, asked });
  }
  return all;
}

const logOf = async (instance: Instance | undefined, room: string) => {
  const path = `/api/room/log?room=${encodeURIComponent(room)}`;
  const { text } = await ask(`${instance?.url}${path}`);
  return JSON.parse(text);
};

test('the log of a room is the same at every instance, wherever the room is watched', async () => {
  const [one, two] = await startInstances({
    one: { room: 'a/b c', entries: 2 },
    two: { room: 'x', entries: 0 },
  });
  const log = await logOf(one, 'a/b c');
  expect(log).toMatchObject({
    id: 'a/b c',
    watched: true,
    entries: [{ number: 1 }, { number: 2 }],
  });
  expect(await logOf(two, 'a/b c')).toEqual(log);
});

test('if several instances watch a room, the one that is asked answers, else that with the longest log', async () => {
  const [one, two, three] = await startInstances({
    one: { room: 'r', entries: 1 },
    two: { room: 'r', entries: 3 },
    three: { room: 'x', entries: 0 },
  });
  expect((await logOf(one, 'r')).entries).toHaveLength(1);
  expect((await logOf(two, 'r')).entries).toHaveLength(3);
  expect((await logOf(three, 'r')).entries).toHaveLength(3);
});

test('an instance that is asked by another one asks nobody', async () => {
  const [one, two, three] = await startInstances({
    one: { room: 'x', entries: 0 },
    two: { room: 'y', entries: 0 },
    three: { room: 'z', entries: 0 },
  });
  expect(await logOf(one, 'r')).toEqual({ id: 'r', watched: false, entries: [] });
  // Each looks up the room twice: for its name, and for its log.
  expect([one, two, three].map((instance) => instance?.asked.length)).toEqual([2, 2, 2]);
});
