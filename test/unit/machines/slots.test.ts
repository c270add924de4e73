import { afterAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { activationMachine } from '../../../machines/activationMachine.js';
import { instanceMachine } from '../../../machines/instanceMachine.js';
import { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import { roomMachine } from '../../../machines/roomMachine.js';
import { readConfig } from '../../../server/config/config.js';
import { Dependencies } from '../../../server/dependencies/dependencies.js';
import { wireService } from '../../../server/wiring/wireService.js';

interface Logic {
  implementations?: Record<'actions' | 'actors' | 'guards', Record<string, unknown>>;
  /** Of `fromCallback`: the function that it was given. */
  config?: unknown;
}

function isEmpty(filling: unknown): boolean {
  if (typeof filling !== 'function') return false;
  try {
    filling({}, {});
  } catch (error) {
    return /^slot ".+" is not filled$/.test((error as Error).message);
  }
  return false;
}

/** Names of the slots of a machine and its children that hold only what `emptySlot` left there. */
function emptySlots(root: unknown, blueprint: unknown = root, path = ''): string[] {
  const { implementations, config } = root as Logic;
  const slots = (blueprint as Logic).implementations;
  if (!implementations || !slots) {
    // What replaced the blueprint's filling is real, and must not be called.
    const isReplaced = root !== blueprint && config !== (blueprint as Logic).config;
    return !isReplaced && isEmpty(config) ? [path] : [];
  }
  const functions = (['actions', 'guards'] as const).flatMap((kind) =>
    Object.keys(slots[kind]).filter((name) => {
      const filling = implementations[kind][name];
      return filling === slots[kind][name] && isEmpty(filling);
    }),
  );
  const actors = Object.keys(slots.actors).flatMap((name) =>
    emptySlots(implementations.actors[name], slots.actors[name], name),
  );
  return [...functions, ...actors];
}

describe('the wiring', () => {
  const wired = wireService({
    config: readConfig({ PUBSUB_SERVERS: '127.0.0.1:1' }),
    log: pino({ level: 'silent' }),
    publicUrl: 'http://127.0.0.1:2',
    ownPort: 2,
    store: {} as never,
    health: { dependencies: new Dependencies(Date.now), redis: undefined },
  });
  afterAll(() => wired.close());

  test('has slots to fill', () => {
    expect(emptySlots(activationMachine)).toEqual(
      expect.arrayContaining([
        'publish',
        'restartFeed',
        'reportDefect',
        'serverRequests',
        'discovery',
      ]),
    );
    expect(emptySlots(pubSubServerMachine)).toEqual(['serverRequests']);
    expect(emptySlots(instanceMachine).sort()).toEqual(
      [
        ...emptySlots(activationMachine),
        ...emptySlots(roomMachine),
        'publishRole',
        'holdRequests',
        'resumeRequests',
        'closeFleet',
        'reportDefect',
        'hasSuccessor',
        'election',
      ].sort(),
    );
  });

  test('leaves none of them empty', () => {
    const { machine, children } = wired.instance.getSnapshot();
    // Those of the activation are filled for each leadership.
    const forEach = emptySlots(activationMachine);
    expect(emptySlots(machine, instanceMachine)).toEqual(forEach);
    const activation = children.activation?.getSnapshot() as { machine: unknown };
    expect(emptySlots(activation.machine, activationMachine)).toEqual([]);
  });

  test('is caught if it leaves one empty', () => {
    const partly = activationMachine.provide({ actions: { publish: () => {} } });
    expect(emptySlots(partly, activationMachine)).toEqual(
      emptySlots(activationMachine).filter((name) => name !== 'publish'),
    );
  });
});
