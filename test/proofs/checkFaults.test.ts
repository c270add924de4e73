import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Fault } from '../system/agent/support/brokenServer.js';
import { failuresOf } from '../system/agent/support/failuresOf.js';

/** For each fault the checks that fail, and no other does. */
const faults: [Fault, string[]][] = [
  ['answers health with 500', ['health']],
  ['answers false with 500', ['deactivation']],
  ['answers text instead of a snapshot', ['activation']],
  ['answers a snapshot as text/plain', ['answer-type']],
  ['posts each change twice', ['deltas']],
  ['posts no closed connections', ['deltas']],
  ['posts an invalid body', ['bodies', 'deltas']],
  ['keeps the first URL', ['new-url']],
  ['changes the URL', ['url-unchanged']],
  ['reports changed rooms only', ['full-snapshot']],
  ['retries a refused post', ['no-retry']],
  ['stops after a refused post', ['after-refusal']],
  ['goes on with a URL that is answered 404', ['forgotten-url']],
  ['serves strangers', ['strangers']],
  ['lets clients wait for posts', ['no-waiting']],
  ['never gives up a post', ['post-timeout']],
  ['takes the snapshot after the URL', ['one-instant']],
  ['sets the URL after the snapshot', ['one-instant']],
  ['takes the snapshot when the request begins', ['slow-request']],
  ['ignores what was overtaken', ['overtaken']],
  ['posts while inactive', ['overtaken', 'silent-at-the-end', 'silent-when-inactive']],
  ['posts changes later that happened while inactive', ['overtaken', 'silent-when-inactive']],
  ['decodes names', ['names']],
  ['counts in an object', ['names']],
  ['assigns names in the snapshot', ['proto-in-snapshot']],
  ['answers the document as text', ['room']],
  ['answers the content of an empty document', ['room']],
  ['answers 404 for an absent room', ['absent-room']],
  ['creates a room to look', ['absent-room']],
  ['announces what is not JSON', ['agent-header']],
  ['announces names without finding them', ['room-by-name']],
  ['posts content of every room', ['watched-updates']],
  ['adds lists up', ['watched-list']],
  ['posts no awareness for a new list', ['watched-awareness']],
  ['drops large updates', ['watched-lost']],
  ['accepts any list', ['watched-refusals']],
  ['sends no start-up query', ['startup-query']],
  ['sends the start-up query without its port', ['startup-query']],
  ['ignores the answer', ['startup-answer']],
  ['announces connections from before the answer', ['startup-answer']],
  ['ends without an answer', ['startup-without-answer']],
  ['accepts bad bodies', ['bad-input']],
  ['ends at a bad body', ['bad-input']],
];

const atOnce = 6;
const outcomes = new Map<Fault, Promise<Record<string, string>>>();
const ends = Array.from({ length: atOnce }, () => Promise.resolve<unknown>(undefined));

/** Checks all servers with a fault, some at a time: most of a check is waiting. */
beforeAll(() => {
  for (const [i, [fault]] of faults.entries()) {
    const outcome = Promise.resolve(ends[i % atOnce]).then(() => failuresOf(fault));
    outcomes.set(fault, outcome);
    ends[i % atOnce] = outcome.catch(() => undefined);
  }
});

afterAll(() => Promise.all(ends));

test.each(faults)('a server that %s fails no other checks than these', async (fault, expected) => {
  const failures = await outcomes.get(fault);
  expect({ ids: Object.keys(failures ?? {}).sort(), failures }).toEqual({
    ids: expected,
    failures,
  });
});
