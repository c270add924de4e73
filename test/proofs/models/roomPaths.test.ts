import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { roomMachine } from '../../../machines/roomMachine.js';
import { eventually } from '../../support/eventually.js';
import { coveringPaths } from '../../system/models/coveringPaths.js';
import { RealRoom, startRoomStage } from '../../system/models/realRoom.js';
import {
  nameOf,
  type RoomModelEvent,
  type RoomSnapshot,
  roomEventsAt,
  roomInput,
  roomKeyOf,
  roomModel,
  standingOf,
} from '../../system/models/roomModel.js';
import type { RoomStage } from '../../system/models/roomStage.js';
import { Coverage } from '../../worlds/coverage.js';

const everything = { input: roomInput, keyOf: roomKeyOf, eventsAt: roomEventsAt, maxSteps: 5 };
/** To lose the document, which ends a thread, is one of many ways to have another round. */
const withoutLoss = {
  ...everything,
  maxSteps: 11,
  eventsAt: (snapshot: RoomSnapshot) =>
    roomEventsAt(snapshot).filter(({ type }) => type !== 'document.lost'),
};

const paths = coveringPaths(roomModel, [withoutLoss, everything]);
const reached = new Set<string>();

/** The states that the model is in after each event, and what viewers are told in it. */
function expectedStates(events: readonly RoomModelEvent[]): { value: unknown; standing: string }[] {
  const actor = createActor(roomModel, { input: roomInput });
  actor.start();
  return events.map((event) => {
    actor.send(event as never);
    const snapshot = actor.getSnapshot();
    return { value: snapshot.value, standing: standingOf(snapshot) };
  });
}

async function follow(stage: RoomStage, events: readonly RoomModelEvent[]): Promise<void> {
  const states = expectedStates(events);
  const real = await RealRoom.watch(stage);
  try {
    for (const [i, event] of events.entries()) {
      await real.happen(event);
      const steps = events.slice(0, i + 1).map(nameOf);
      const expected = { steps, ...states[i] };
      await eventually(() =>
        expect({ steps, value: real.value, standing: real.standing }).toEqual(expected),
      );
    }
  } finally {
    await real.leave();
  }
}

const isWithoutRedis = (events: readonly RoomModelEvent[]) => events[0]?.type === 'channel.missing';

describe.each([
  ['with', true],
  ['without', false],
])('%s a Redis the real service is where the model of a room is, after', (_, hasRedis) => {
  let stage: RoomStage;
  beforeAll(async () => {
    stage = await startRoomStage(hasRedis);
  });
  afterAll(async () => {
    for (const place of stage.reached) reached.add(place);
    await stage.stop();
  });

  const named = paths
    .map(({ events }) => [events.map(nameOf).join(', '), events] as const)
    .filter(([, events]) => isWithoutRedis(events) !== hasRedis);
  test.each(named)('%s', (_path, events) => follow(stage, events));
});

test('together the paths are those of the model, which reaches everything', () => {
  const inModel = new Set(paths.flatMap(({ reaches }) => reaches));
  expect(new Coverage([roomModel]).all.filter((place) => !inModel.has(place))).toEqual([]);
});

afterAll(() => {
  // Every state and every transition of the real machine: there is none that real parts cannot bring about.
  const missed = new Coverage([roomMachine]).all.filter((place) => !reached.has(place));
  expect(missed).toEqual([]);
});
