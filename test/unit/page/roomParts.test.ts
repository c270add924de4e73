import { expect, test } from '@jest/globals';
import { toBase64 } from 'lib0/buffer';
import * as Y from 'yjs';
import { documentTree } from '../../../server/page/room/documentTree.js';
import { recentMs } from '../../../server/page/room/recentChanges.js';
import { RoomSession } from '../../../server/page/room/roomSession.js';
import { type ChartState, chartOf } from '../../../server/page/statecharts/chart.js';
import { movesBetween, occupancyOf } from '../../../server/page/statecharts/occupancy.js';
import type { TreeNode } from '../../../server/page/tree/treeNode.js';

const ignore = () => undefined;

/** A session with a fake clock and a fake stream. */
function openSession() {
  const clock = { ms: 0 };
  const session = new RoomSession(ignore, () => clock.ms);
  session.startConnection();
  const takeState = (doc: Y.Doc, rest = {}) => {
    const update = toBase64(Y.encodeStateAsUpdate(doc));
    session.handle('state', JSON.stringify({ ...rest, update }));
  };
  /** Sends further updates of the document through the stream. */
  const follow = (doc: Y.Doc) =>
    doc.on('update', (update: Uint8Array) => {
      const entry = { number: 1, at: '2026-01-01T00:00:00Z', clients: [], types: [] };
      session.handle('update', JSON.stringify({ ...entry, update: toBase64(update) }));
    });
  const nodes = () => documentTree(session.doc, session.recent);
  return { clock, session, takeState, follow, nodes };
}

const runsOf = ([node]: TreeNode[]) =>
  node
    ?.runs?.(1000)
    .map(({ text, formats, change }) => [text, formats.join(), change !== undefined]);

test('the first state is not highlighted; later changes are, to the character, for a while', () => {
  const { clock, session, takeState, follow, nodes } = openSession();
  const doc = new Y.Doc();
  doc.getText('t').insert(0, 'hello world', { bold: true });
  takeState(doc);
  expect(runsOf(nodes())).toEqual([['hello world', 'bold', false]]);
  follow(doc);
  doc.getText('t').insert(5, ', dear');
  expect(runsOf(nodes())).toEqual([
    ['hello', 'bold', false],
    [', dear', 'bold', true],
    [' world', 'bold', false],
  ]);
  clock.ms += recentMs + 1;
  session.expire();
  expect(runsOf(nodes())).toEqual([['hello, dear world', 'bold', false]]);
});

test('after a reconnect the state replaces the document, and additional content is highlighted', () => {
  const { session, takeState, nodes } = openSession();
  const doc = new Y.Doc();
  doc.getText('t').insert(0, 'kept');
  const anew = new Y.Doc();
  Y.applyUpdate(anew, Y.encodeStateAsUpdate(doc));
  anew.getText('t').insert(4, ' and more');
  doc.getMap('gone').set('a', 1);
  takeState(doc);
  expect(nodes().map(({ label }) => label)).toEqual(['gone', 't']);
  session.startConnection();
  takeState(anew);
  expect(nodes().map(({ label }) => label)).toEqual(['t']);
  expect(runsOf(nodes())).toEqual([
    ['kept', '', false],
    [' and more', '', true],
  ]);
});

test('parents of a change are marked, and the changed type itself takes precedence', () => {
  const { takeState, follow, nodes } = openSession();
  const doc = new Y.Doc();
  const inner = new Y.Map<unknown>();
  doc.getMap('outer').set('inner', inner);
  takeState(doc);
  follow(doc);
  inner.set('deep', { plain: true });
  const [outer] = nodes();
  expect(outer?.touched).toMatchObject({ isInside: true });
  const [child] = outer?.children?.(10) ?? [];
  expect(child).toMatchObject({ label: 'inner', kind: 'map', touched: { isInside: false } });
  expect(child?.children?.(10)).toMatchObject([{ label: 'deep', kind: 'object', size: 1 }]);
});

test('lists and texts create only the requested part, and split no character', () => {
  const { session, takeState, nodes } = openSession();
  const doc = new Y.Doc();
  doc.getArray('a').insert(
    0,
    Array.from({ length: 5000 }, (_, index) => index),
  );
  doc.getText('b').insert(0, 'ab😀'.repeat(1000));
  takeState(doc);
  const [list, text] = nodes();
  expect(list?.size).toBe(5000);
  expect(list?.children?.(7)).toHaveLength(7);
  expect(text?.runs?.(3)).toMatchObject([{ text: 'ab' }]);
  expect(text?.runs?.(4)).toMatchObject([{ text: 'ab😀' }]);
  expect(session.snapshot.problem).toBeUndefined();
});

test('states of a too large room are held until the user merges them', () => {
  const { session, takeState, nodes } = openSession();
  const doc = new Y.Doc();
  doc.getText('t').insert(0, 'large');
  takeState(doc, { server: 'a:1' });
  takeState(doc, { server: 'b:1' });
  expect(nodes()).toEqual([]);
  const bytes = Y.encodeStateAsUpdate(doc).length;
  expect(session.snapshot.heldBytes).toBeGreaterThanOrEqual(2 * bytes);
  session.mergeHeld();
  expect(runsOf(nodes())).toEqual([['large', '', false]]);
  expect(session.snapshot.heldBytes).toBe(0);
});

test('an invalid event is reported, and later events are still applied', () => {
  const { session, follow, nodes } = openSession();
  session.handle('update', '{"update":"????"}');
  session.handle('room', 'no JSON');
  expect(session.snapshot.problem).toMatch(/invalid "room" event/);
  session.handle('future', 'anything');
  const doc = new Y.Doc();
  follow(doc);
  doc.getText('t').insert(0, 'on it goes');
  expect(runsOf(nodes())).toEqual([['on it goes', '', true]]);
});

const chart: ChartState = chartOf(
  {
    id: 'm',
    type: 'parallel',
    states: {
      a: {
        id: 'm.a',
        type: 'compound',
        initial: 'one',
        states: {
          one: {
            id: 'm.a.one',
            type: 'atomic',
            on: { go: [{ target: ['#m.a.two'], guard: 'may' }] },
          },
          two: { id: 'm.a.two', type: 'atomic', after: { waitMs: [{ target: ['#m.a.one'] }] } },
        },
      },
      b: { id: 'm.b', type: 'atomic' },
    },
  },
  { waitMs: 1500 },
);

test('actors are counted in parent states, and once in parallel states', () => {
  const leaves = new Map([
    ['a.one', 3],
    ['a.two', 2],
    ['b', 5],
  ]);
  expect(Object.fromEntries(occupancyOf(chart, leaves))).toEqual({
    '': 5,
    a: 5,
    'a.one': 3,
    'a.two': 2,
    b: 5,
  });
});

test('two polls show the taken transition and the entered state', () => {
  const at = (one: number, two: number) =>
    occupancyOf(
      chart,
      new Map([
        ['a.one', one],
        ['a.two', two],
        ['b', one + two],
      ]),
    );
  const [region] = chart.states;
  const go = region?.states[0]?.transitions[0];
  const back = region?.states[1]?.transitions[0];
  expect([go?.cause, go?.guard, back?.cause]).toEqual(['go', 'may', 'after waitMs (1.5 s)']);
  const forth = movesBetween(chart, at(2, 0), at(1, 1));
  expect([[...forth.entered], [...forth.taken]]).toEqual([['a.two'], [go?.key]]);
  const home = movesBetween(chart, at(1, 1), at(2, 0));
  expect([[...home.entered], [...home.taken]]).toEqual([['a.one'], [back?.key]]);
  // A new actor has taken no transition.
  expect([...movesBetween(chart, at(1, 0), at(1, 1)).taken]).toEqual([]);
  expect(movesBetween(chart, at(1, 1), at(1, 1))).toEqual({ entered: new Set(), taken: new Set() });
});

test('people are listed once, and then updated by changes', () => {
  const { session } = openSession();
  const people = () => session.snapshot.people;
  const about = { leftOut: 0, dropped: 0, since: '2026-01-01T00:00:00Z' };
  expect(people()).toMatchObject({ clients: [], since: null });
  const [ada, grace] = [
    { client: 1, clock: 1, state: 'Ada' },
    { client: 3, clock: 1, state: null },
  ];
  session.handle('awareness', JSON.stringify({ clients: [ada, grace], ...about }));
  expect(people()).toEqual({ clients: [ada, grace], ...about });
  const linus = { client: 2, clock: 1, state: 'Linus' };
  const changed = { ...ada, clock: 2, state: 'Ada L.' };
  session.handle(
    'awareness-changes',
    JSON.stringify({ clients: [linus, changed], gone: [3, 99], ...about, leftOut: 4 }),
  );
  expect(people()).toEqual({ clients: [changed, linus], ...about, leftOut: 4 });
  session.handle('awareness', JSON.stringify({ clients: [grace], ...about }));
  expect(people()).toEqual({ clients: [grace], ...about });
  session.close();
});
