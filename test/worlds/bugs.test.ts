import { expect, jest, test } from '@jest/globals';
import { bugs } from './bugs.js';
import { instancesBugs } from './instances/instancesBugs.js';
import { roomBugs } from './rooms/roomBugs.js';
import { kinds, spoiltKind, type WorldKind } from './worldKinds.js';

// A bug without a known seed may take minutes on a busy machine.
jest.setTimeout(1_800_000);

/** Each bug is found in one of these worlds. The first that finds it ends the search. */
const maxWorlds = { service: 2000, rooms: 2000, instances: 1000 };

/** Worlds that find a bug which one world in thousands finds. */
const rareSeeds: Readonly<Record<string, number>> = {
  'an instance that stops drops what it leaves to the leader': 2006108,
};

/** Quick worlds that find a bug. They are tried first. */
const knownSeeds: Readonly<Record<string, number>> = {
  'a snapshot is added to what was counted before': 125,
  'deltas are counted whatever their epoch is': 128,
  'epochs begin anew with every deactivation': 1621,
  'deltas beside a request are forgotten when it is answered': 725,
  'an answer after its deadline is taken all the same': 57,
  'evidence in deltas is not looked at': 57,
  'what is posted under a start-up answer is counted': 57,
  'a post does not heal a deaf server': 203,
  'a room that was below zero is believed when something lifts it': 55,
  'servers are let go although they answer': 442,
  'an address that a crash left is a server for ever': 125,
  'counts are kept when nobody looks': 42,
  'what a server posts is kept beside no request': 57,
  'whoever is let go leaves an attempt behind': 57,
  'a server over its limit is not said to be so': 11,
  'a server once over its limit is so for ever': 11,
  'a post without a token counts for whoever is at its address': 57,
  'a start-up query clears the counts of whoever may have sent it': 42,
  'nobody is silenced at the start': 17,
  'lingering is not cancelled by a viewer': 128,
  'a second viewer has the servers told again': 57,
  'every viewer of updates has the servers told again': 203,
  'one viewer that leaves takes all with it': 125,
  'who is silent is told so again and again': 42,
  'who posts unwished is let be': 426,
  'a live server whose base was dropped is not asked again': 32,
  'a server whose posts never arrive is taken for live': 203,
  'every snapshot that differs makes a server deaf': 57,
  'there is no resync': 57,
  'a provisional snapshot is not confirmed': 770,
  'counts of an unreachable server are kept': 128,
  'a failed request is not sent again': 42,
  'a new wish does not wait for the request under way': 42,
  'every snapshot is taken for provisional': 57,
  'resyncs come twice as often': 57,
  'probes come ten times as often': 42,
  'evidence that recurs is acted on at once': 42,
  'recurring evidence is forgotten when it may be acted on': 57,
  'candidates are never displaced': 604,
  'a term is drawn after the lock': 8,
  'a lease expires by the wall clock': 899,
  'a relay resumes over a change of term': 5,
  'complete is passed on as it was made': 5,
  'a takeover without viewers silences': 14,
  'a takeover is not confirmed': 146,
  'nobody looks at the lease between connection and body': 132,
  'a new leader does not read the inbox': 23,
  'what was passed on is passed on again': 10,
  ...rareSeeds,
};

const upTo = (seed: number) => Array.from({ length: seed }, (_, i) => i + 1);

/** The broken promise of the first world that breaks this one, and none without the bug. */
function firstBroken(kind: WorldKind, name: string, breaks: string) {
  const spoilt = spoiltKind(kind, name);
  const seeds = [knownSeeds[name] ?? 1, ...upTo(maxWorlds[kind])];
  for (const seed of seeds) {
    const { broken } = spoilt?.live(seed) ?? {};
    if (broken?.startsWith(breaks) && !kinds[kind].live(seed).broken) return broken;
  }
  return undefined;
}

test('there are two dozen bugs, and the known seeds are among the worlds', () => {
  expect(Object.keys(bugs).length).toBeGreaterThan(24);
  expect(Object.keys({ ...bugs, ...roomBugs, ...instancesBugs })).toEqual(
    expect.arrayContaining(Object.keys(knownSeeds)),
  );
  const known = (of: object) =>
    Object.keys(of).map((name) => (name in rareSeeds ? 1 : (knownSeeds[name] ?? 1)));
  expect(Math.max(...known(bugs))).toBeLessThanOrEqual(maxWorlds.service);
  expect(Math.max(...known(roomBugs))).toBeLessThanOrEqual(maxWorlds.rooms);
  expect(Math.max(...known(instancesBugs))).toBeLessThanOrEqual(maxWorlds.instances);
});

test.each(Object.entries(bugs))('worlds of the service find that %s', (name, { breaks }) => {
  expect(firstBroken('service', name, breaks)).toBeDefined();
});

test.each(Object.entries(roomBugs))('worlds of rooms find that %s', (name, { breaks }) => {
  expect(firstBroken('rooms', name, breaks)).toBeDefined();
});

test.each(Object.entries(instancesBugs))(
  'worlds of several instances find that %s',
  (name, { breaks }) => {
    expect(firstBroken('instances', name, breaks)).toBeDefined();
  },
);
