import { afterAll, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { eventually } from '../../support/eventually.js';
import { coveringPaths } from '../../system/models/coveringPaths.js';
import {
  eventsAt,
  eventsInCrowd,
  eventsOfCandidate,
  keyOf,
  type ModelEvent,
  type ModelSnapshot,
  modelInput,
  pubSubServerModel,
  stateOf,
} from '../../system/models/pubSubServerModel.js';
import { RealServer } from '../../system/models/realServer.js';
import type { Arrival } from '../../system/models/serverStage.js';
import { Coverage } from '../../worlds/coverage.js';

const everything = { input: modelInput, keyOf, eventsAt, maxSteps: 7 };
const givingUp = [
  'deactivation.requested',
  'request.failed',
  'after.retryMs',
  'evidence.found',
  'activation.requested',
];
/** To give up takes more steps than all else, but few kinds of them. */
const deep = {
  ...everything,
  maxSteps: 11,
  eventsAt: (snapshot: ModelSnapshot) =>
    eventsAt(snapshot).filter(({ type }) => givingUp.includes(type)),
};

const becomingDeaf = [
  'deactivation.requested',
  'activation.requested',
  'silence.confirmed',
  'snapshot.received',
  'after.resyncMs',
  'post.received',
  'startup.answered',
  'after.postGraceMs',
];
/** It takes three snapshots. */
const deaf = {
  ...everything,
  maxSteps: 11,
  eventsAt: (snapshot: ModelSnapshot) =>
    eventsAt(snapshot).filter(({ type }) => becomingDeaf.includes(type)),
};

const inCrowd = { ...everything, maxSteps: 5, eventsAt: eventsInCrowd };
const ofCandidate = { ...everything, eventsAt: eventsOfCandidate };

const paths = coveringPaths(pubSubServerModel, [everything, deep, deaf, inCrowd, ofCandidate]);
const reached = new Set<string>();

/** How the server has to come to be known so that this can happen. */
function arrivalFor(events: readonly ModelEvent[]): Arrival {
  const wishes = events.map(({ type }) => type).filter((type) => /activation\./.test(type));
  if (['evidence.found', 'predecessor.failed'].includes(events[0]?.type ?? '')) return 'posting';
  const isToldAgain = wishes.some((wish, i) => wish === wishes[i - 1]);
  return isToldAgain ? 'afterMany' : 'named';
}

/** The states that the model is in after each event. */
function expectedValues(events: readonly ModelEvent[]): unknown[] {
  const actor = createActor(pubSubServerModel, { input: modelInput });
  actor.start();
  return events.map((event) => {
    actor.send(event as never);
    return stateOf(actor.getSnapshot());
  });
}

const named = paths.map(
  ({ events }) => [events.map(({ type }) => type).join(', '), events] as const,
);

describe('the real service is where the model of a pub-sub server is, after', () => {
  test.concurrent.each(named)('%s', async (_, events) => {
    const values = expectedValues(events);
    const real = await RealServer.start(arrivalFor(events));
    try {
      for (const [i, event] of events.entries()) {
        await real.happen(event);
        const steps = events.slice(0, i + 1).map(({ type }) => type);
        const expected = { steps, value: values[i] };
        await eventually(() => expect({ steps, value: real.value }).toEqual(expected));
      }
      for (const place of real.reached) reached.add(place);
    } finally {
      await real.stop();
    }
  });
});

describe('together the paths', () => {
  const all = new Coverage([pubSubServerModel]).all.filter((place) => !/surroundings/.test(place));

  test('are those of the model, which reaches everything', () => {
    const inModel = new Set(paths.flatMap(({ reaches }) => reaches));
    expect(all.filter((place) => !inModel.has(place))).toEqual([]);
    expect(paths.length).toBeGreaterThan(15);
  });
});

afterAll(() => {
  // Every state and every transition of the real machine: there is none that real parts cannot bring about.
  expect(RealServer.places.filter((place) => !reached.has(place))).toEqual([]);
});
