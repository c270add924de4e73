import { afterAll, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { Coverage } from '../simulation/coverage.js';
import { eventually } from '../support/eventually.js';
import { coveringPaths } from './coveringPaths.js';
import {
  eventsAt,
  keyOf,
  type ModelEvent,
  type ModelSnapshot,
  modelInput,
  pubSubServerModel,
  stateOf,
} from './pubSubServerModel.js';
import { RealServer } from './realServer.js';

/** What cannot be made to happen here, and why; the simulation reaches all of it. */
const unreached: Readonly<Record<string, string>> = {
  'pubSubServer.standing.unknown: deactivation.requested → pubSubServer.standing.silencing':
    'every path begins with it, at the start of the service, before anybody can look on',
  'pubSubServer.standing.silent: deactivation.requested → pubSubServer.standing.silent':
    'only a candidate that proves to be a server is told what it is already',
  'pubSubServer.standing.engaged: activation.requested → pubSubServer.standing.engaged.activating':
    'a server is told twice only if a viewer comes while the others of more than 50 are being told',
};

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

const paths = coveringPaths(pubSubServerModel, [everything, deep]);
const reached = new Set<string>();

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
    const real = await RealServer.start();
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

  test('are those of the model, which reaches all but what a table names', () => {
    const inModel = new Set(paths.flatMap(({ reaches }) => reaches));
    const missed = all.filter((place) => !inModel.has(place));
    expect(missed.filter((place) => !(place in unreached))).toEqual([]);
    expect(paths.length).toBeGreaterThan(15);
  });
});

afterAll(() => {
  // Of every state and every transition of the real machine, those of the table alone are missing.
  const missed = RealServer.places.filter((place) => !reached.has(place));
  expect(missed).toEqual(Object.keys(unreached));
});
