import { afterAll, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { eventually } from '../support/eventually.js';
import { coveringPaths } from './coveringPaths.js';
import { eventsAt, factsOf, modelInput, type ModelEvent, pubSubServerModel } from './pubSubServerModel.js';
import { RealServer } from './realServer.js';

const paths = coveringPaths(pubSubServerModel, {
  input: modelInput,
  eventsAt,
  maxSteps: 11,
  keyOf: (snapshot) => {
    const { server: _s, tally: _t, timing: _i, jitter: _j, lastFailure: _l, recurrences: _r, ...facts } = factsOf(snapshot);
    return JSON.stringify([snapshot.value, facts]);
  },
});

/** The states that the model is in after each event. */
function expectedValues(events: readonly ModelEvent[]): unknown[] {
  const actor = createActor(pubSubServerModel, { input: modelInput });
  actor.start();
  return events.map((event) => {
    actor.send(event as never);
    return actor.getSnapshot().value;
  });
}

const reached = new Set<string>();
let all: string[] = [];

describe('the real service is where the model of a pub-sub server is, after', () => {
  test.each(paths.map(({ events }) => [events.map(({ type }) => type).join(', '), events] as const))('%s', async (_, events) => {
    const real = await RealServer.start();
    try {
      const values = expectedValues(events);
      for (const [i, event] of events.entries()) {
        await real.happen(event);
        const steps = events.slice(0, i + 1).map(({ type }) => type);
        await eventually(() => expect({ steps, value: real.value }).toEqual({ steps, value: values[i] }), { withinMs: 3000 });
      }
      for (const place of real.reached) reached.add(place);
      all = real.all;
    } finally {
      await real.stop();
    }
  });
});

afterAll(() => {
  process.stdout.write(all.filter((p) => !reached.has(p)).join('\n'));
});
