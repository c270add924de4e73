import { describe, expect, test } from '@jest/globals';
import { type AnyStateMachine, assign, createMachine, setup } from 'xstate';
import { charts } from '../../../server/inspection/charts.js';
import { definitionOf, delaysOf } from '../../../server/inspection/definition.js';

const byId = charts.map((machine): [string, AnyStateMachine] => [machine.id, machine]);

/** What XState itself says of a machine; names stand for what they name, with parameters or without. */
const toldByXState = ({ root }: AnyStateMachine) =>
  JSON.parse(JSON.stringify(root.definition), (_, value) =>
    value?.type && Object.keys(value).length === 1 ? value.type : value,
  );

/** The paths of all functions in a configuration. */
function functionsIn(value: unknown, path = ''): string[] {
  if (typeof value === 'function') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => functionsIn(inner, `${path}/${key}`));
}

describe.each(byId)('the definition of %s', (_, machine) => {
  test('makes the same machine when XState reads it as JSON', () => {
    const definition = JSON.parse(JSON.stringify(definitionOf(machine)));
    const remade = createMachine(definition, machine.implementations as object);
    expect(toldByXState(remade)).toEqual(toldByXState(machine));
    expect(definitionOf(remade)).toEqual(definitionOf(machine));
  });

  test('has no functions except for context and inputs, so that editors can import it', () => {
    const functions = functionsIn(machine.config);
    expect(functions.filter((path) => !/^\/context$|\/invoke(\/\d+)?\/input$/.test(path))).toEqual(
      [],
    );
  });

  test('names only what exists', () => {
    const { guards, delays, actions, actors } = machine.implementations as unknown as Record<
      string,
      object
    >;
    const text = JSON.stringify(definitionOf(machine));
    const named = [...text.matchAll(/"(?:guard|src)":"([^"]+)"/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in { ...guards, ...actors }))).toEqual([]);
    const done = [...text.matchAll(/\{"type":"(\w+)"[},]/g)].map(([, name = '']) => name);
    expect(done.filter((name) => !(name in { ...actions }))).toEqual([]);
    expect(Object.keys(delaysOf(machine))).toEqual(Object.keys({ ...delays }));
  });
});

test('an inline function is shown by its name', () => {
  function isReady() {
    return true;
  }
  const machine = createMachine({
    id: 'inline',
    initial: 'a',
    entry: [assign({}), () => {}],
    states: {
      a: {
        on: { go: { guard: isReady, target: 'b', actions: [function note() {}] } },
        after: { 1000: 'b' },
      },
      b: { type: 'final' },
    },
  });
  expect(definitionOf(machine)).toEqual({
    id: 'inline',
    type: 'compound',
    initial: 'a',
    entry: [{ type: 'xstate.assign' }, { type: 'inline function' }],
    states: {
      a: {
        id: 'inline.a',
        type: 'atomic',
        on: { go: [{ guard: 'isReady', target: ['#inline.b'], actions: [{ type: 'note' }] }] },
        after: { 1000: [{ target: ['#inline.b'] }] },
      },
      b: { id: 'inline.b', type: 'final' },
    },
  });
});

test('delays are in milliseconds unless they depend on the context', () => {
  const machine = setup({
    delays: { shortMs: 5, waitMs: ({ context }) => context.waitMs },
  }).createMachine({ context: { waitMs: 3 } });
  expect(delaysOf(machine)).toEqual({ shortMs: 5, waitMs: null });
});
