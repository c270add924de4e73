import { afterAll, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { activationMachine } from '../../../machines/activationMachine.js';
import { eventually } from '../../support/eventually.js';
import { activationModel, rootInput, rootWalks } from '../../system/models/activationModel.js';
import { coveringPaths } from '../../system/models/coveringPaths.js';
import { RealRoot } from '../../system/models/realRoot.js';
import { Coverage } from '../../worlds/coverage.js';

const paths = coveringPaths(activationModel, rootWalks);
const reached = new Set<string>();

function expectedValues(types: readonly string[]): unknown[] {
  const actor = createActor(activationModel, { input: rootInput });
  actor.start();
  return types.map((type) => {
    actor.send({ type } as never);
    return actor.getSnapshot().value;
  });
}

const named = paths.map(({ events }) => {
  const types = events.map(({ type }) => type);
  return [types.join(', '), types] as const;
});

describe('the real service is where the model of the root is, after', () => {
  test.concurrent.each(named)('%s', async (_, types) => {
    const values = expectedValues(types);
    const real = await RealRoot.start();
    try {
      for (const [i, type] of types.entries()) {
        await real.happen(type);
        const steps = types.slice(0, i + 1);
        const expected = { steps, value: values[i] };
        await eventually(() => expect({ steps, value: real.value }).toEqual(expected));
      }
    } finally {
      await real.stop();
      for (const place of real.reached) reached.add(place);
    }
  });
});

afterAll(() => {
  // Every state and every transition of the real machine, but a takeover from another instance. `starting` is
  // left before this test can look; the paths begin in the state to which it leads.
  const isElsewhere = (place: string) => /isTakeover|^activation\.starting/.test(place);
  const all = new Coverage([activationMachine]).all.filter((place) => !isElsewhere(place));
  const missed = all.filter((place) => !reached.has(place));
  expect(missed).toEqual([]);
});
