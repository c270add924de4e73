import { describe, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import type { ApplyOutcome, DocumentLimits } from '../../../server/documents/documentProtocol.js';
import { LiveDocument } from '../../../server/documents/liveDocument.js';
import { docOf, edited, prepended } from './support.js';

const limits: DocumentLimits = {
  maxRoomBytes: 100_000,
  maxTotalBytes: 100_000,
  maxPendingBytes: 1_000,
  maxJsonBytes: 100_000,
  maxJsonDepth: 100,
};
const liveDocument = (changed: Partial<DocumentLimits> = {}, spare = 1e9) =>
  new LiveDocument({ ...limits, ...changed }, () => spare);
const jsonOf = (document: LiveDocument): unknown =>
  JSON.parse(new TextDecoder().decode(document.toJson({}).json));
const given = (state: Uint8Array) => new Uint8Array(state);
const applied = (outcomes: readonly ApplyOutcome[]) =>
  outcomes.map((outcome) => ('applied' in outcome ? outcome.applied : outcome));

const typed = (words: readonly string[], clientID = 1) =>
  edited((doc) => {
    for (const word of words) doc.getText('t').insert(doc.getText('t').length, word);
  }, clientID);

describe('a live document', () => {
  test('merges states and updates in any order, with repeats, as Yjs does', () => {
    const one = typed(['a', 'b', 'c'], 1);
    const other = typed(['x', 'y'], 2);
    const document = liveDocument();
    document.apply([...other.updates].reverse());
    expect(document.merge(given(one.state), 'a')).toMatchObject({
      type: 'merged',
      isChanged: true,
    });
    expect(document.merge(given(other.state), 'b')).toMatchObject({ isChanged: false });
    document.apply([...one.updates, ...other.updates]);
    expect(document.encode()).toEqual(Y.encodeStateAsUpdate(docOf(one.state, other.state)));
    expect(document.stateVector()).toEqual(Y.encodeStateVector(docOf(one.state, other.state)));
    const both = docOf(one.state, other.state).getText('t').toString();
    expect(jsonOf(document)).toEqual({ t: { type: 'text', value: both } });
  });

  test('merges the new part of a mostly known state: elements, deletions and waiting updates', () => {
    const { doc, state, updates } = typed(['one ', 'two ', 'three']);
    const document = liveDocument();
    document.merge(given(updates[0] ?? state), 'a');
    doc.getText('t').delete(1, 3);
    expect(document.merge(given(Y.encodeStateAsUpdate(doc)), 'b')).toMatchObject({
      isChanged: true,
    });
    expect(document.encode()).toEqual(Y.encodeStateAsUpdate(doc));
    doc.getText('t').delete(0, 1);
    expect(document.merge(given(Y.encodeStateAsUpdate(doc)), 'b')).toMatchObject({
      isChanged: true,
    });
    expect(document.merge(given(Y.encodeStateAsUpdate(doc)), 'c')).toMatchObject({
      isChanged: false,
    });
    expect(document.encode()).toEqual(Y.encodeStateAsUpdate(doc));
  });

  test('reports for every update whether it changed the document', () => {
    const { doc, updates } = typed(['abc']);
    doc.getText('t').delete(0, 1);
    const document = liveDocument();
    const outcomes = document.apply([...updates, ...updates]);
    expect(applied(outcomes)).toMatchObject([
      { isChanged: true, inserted: 3, types: ['t'] },
      { isChanged: true, deleted: 1, types: ['t'] },
      { isChanged: false, inserted: 3, types: ['t'] },
      { isChanged: false, deleted: 1, types: ['t'] },
    ]);
  });

  test('refuses garbage among updates and applies the others', () => {
    const { state, updates } = typed(['a', 'b']);
    const [first = state, second = state] = updates;
    const document = liveDocument();
    const outcomes = document.apply([first, Uint8Array.of(1, 2, 3), second.slice(0, -1), second]);
    expect(applied(outcomes)).toMatchObject([
      { isChanged: true },
      { code: 'bad_update' },
      { code: 'bad_update' },
      { isChanged: true },
    ]);
    expect(document.encode()).toEqual(state);
    expect(() => document.merge(Uint8Array.of(9, 9), 'a')).toThrow(/not a Yjs update/);
    expect(document.encode()).toEqual(state);
    expect(document.takeLoss()).toBe(false);
  });

  test('never edits: formatting that Yjs clients would clean up stays', () => {
    const { doc } = edited((made) => {
      made.getMap('m').set('t', new Y.Text('abcdef'));
    });
    const editions = [1, 2].map((clientID) => {
      const copy = docOf(Y.encodeStateAsUpdate(doc));
      copy.clientID = clientID + 10;
      (copy.getMap('m').get('t') as Y.Text).format(0, 6, { bold: true });
      return Y.encodeStateAsUpdate(copy, Y.encodeStateVector(doc));
    });
    const document = liveDocument();
    const states = [Y.encodeStateAsUpdate(doc), ...editions];
    for (const state of states) document.apply([state]);
    const merged = Y.decodeUpdate(document.encode());
    expect([...merged.ds.clients.keys()]).toEqual([]);
    // The control: a client does delete.
    const client = new Y.Doc();
    for (const state of states) Y.applyUpdate(client, state);
    expect(Y.decodeUpdate(Y.encodeStateAsUpdate(client)).ds.clients.size).toBeGreaterThan(0);
  });

  test('discards a document when Yjs fails in the middle, and reports it', () => {
    // Types in types, so deep that Yjs cannot delete the outermost one.
    const { doc, state } = edited((made) => {
      made.transact(() => {
        let map = made.getMap<unknown>('m');
        for (let i = 0; i < 20_000; i += 1) {
          const inner = new Y.Map<unknown>();
          map.set('k', inner);
          map = inner;
        }
      });
    });
    const outermost = doc.getMap('m')._map.get('k')?.id.clock ?? 0;
    const deletion = Uint8Array.of(0, 1, 1, 1, outermost, 1);
    const document = liveDocument({ maxRoomBytes: 1e7 });
    document.merge(given(state), 'a');
    const kept = typed(['kept'], 2).state;
    expect(applied(document.apply([kept, deletion, kept]))).toMatchObject([
      { isChanged: true },
      { code: 'bad_update' },
      { code: 'lost' },
    ]);
    expect(document.takeLoss()).toBe(true);
    expect(document.takeLoss()).toBe(false);
    expect(jsonOf(document)).toEqual({});
    document.apply([kept]);
    expect(jsonOf(document)).toEqual({ t: { type: 'text', value: 'kept' } });
  });
});

describe('updates that wait for others', () => {
  const { state, updates } = typed(Array.from({ length: 50 }, (_, i) => `word${i} `));

  test('are reported, kept, and applied when the missing one arrives', () => {
    const document = liveDocument();
    const [first = state, ...rest] = updates;
    const outcomes = applied(document.apply(rest.slice(0, 3)));
    expect(outcomes.at(-1)).toMatchObject({ isChanged: false, droppedBytes: 0 });
    expect(outcomes.at(-1)).toHaveProperty('pendingBytes', expect.any(Number));
    expect(document.encode().length).toBeGreaterThan(10);
    const [healed] = applied(document.apply([first]));
    expect(healed).toMatchObject({ isChanged: true, pendingBytes: 0 });
    expect(jsonOf(document)).toEqual({ t: { type: 'text', value: 'word0 word1 word2 word3 ' } });
  });

  test('are dropped over the limit and reported, and return with the next state', () => {
    const document = liveDocument({ maxPendingBytes: 200 });
    let dropped = 0;
    for (const outcome of applied(document.apply(updates.slice(1)))) {
      if (!('pendingBytes' in outcome)) throw new Error('refused');
      expect(outcome.pendingBytes).toBeLessThanOrEqual(200);
      dropped += outcome.droppedBytes;
    }
    expect(dropped).toBeGreaterThan(200);
    expect(document.merge(given(state), 'a')).toMatchObject({ isChanged: true });
    document.dropPending();
    expect(document.encode()).toEqual(state);
  });

  test('are dropped on request, with the root types that only they named', () => {
    const [first, second] = edited((doc) => {
      for (const name of ['first', 'second']) doc.getMap(name).set('k', 1);
    }).updates;
    const document = liveDocument();
    document.apply([second ?? state]);
    expect(jsonOf(document)).toEqual({ second: { type: 'unknown' } });
    expect(document.dropPending().droppedBytes).toBeGreaterThan(0);
    expect(jsonOf(document)).toEqual({});
    expect(document.encode()).toEqual(Uint8Array.of(0, 0));
    expect(document.merge(given(first ?? state), 'a')).toMatchObject({ pendingBytes: 0 });
    expect(jsonOf(document)).toEqual({ first: { type: 'map', value: { k: 1 } } });
  });
});

describe('a room over its limit', () => {
  test('has no document: states come back, updates are summarized, there is no JSON', () => {
    const state = prepended(10_000);
    const document = liveDocument({ maxRoomBytes: 50_000 });
    const large = given(state);
    expect(document.merge(large, 'a')).toEqual({ type: 'tooLarge', state });
    expect(() => document.toJson({})).toThrow(expect.objectContaining({ code: 'too_large' }));
    expect(() => document.encode()).toThrow(expect.objectContaining({ code: 'too_large' }));
    const { updates } = typed(['a'], 2);
    expect(applied(document.apply([...updates, Uint8Array.of(1)]))).toMatchObject([
      { isApplied: false, inserted: 1, types: ['t'] },
      { code: 'bad_update' },
    ]);
    expect(document.merge(given(updates[0] ?? state), 'b')).toMatchObject({ type: 'tooLarge' });
    expect(document.divergence()).toMatchObject([
      { server: 'a', missingStructs: 1 },
      { server: 'b', missingStructs: 10_000 },
    ]);
    expect(() => document.merge(Uint8Array.of(1), 'a')).toThrow(/not a Yjs update/);
    expect(document.bytes).toBe(0);
  });

  test('is detected after merges and after updates', () => {
    const halves = [1, 2].map((clientID) => typed(['x'.repeat(30_000)], clientID));
    const merging = liveDocument({ maxRoomBytes: 50_000 });
    expect(halves.map(({ state }, i) => merging.merge(given(state), `s${i}`).type)).toEqual([
      'merged',
      'tooLarge',
    ]);
    const updated = liveDocument({ maxRoomBytes: 50_000 });
    updated.apply(halves.flatMap(({ updates }) => updates));
    expect(() => updated.encode()).toThrow(expect.objectContaining({ code: 'too_large' }));
  });

  test('is not one with many updates and a small document', () => {
    const { doc, updates } = edited((made) => {
      for (let i = 0; i < 40; i += 1) {
        made.getText('t').insert(0, 'x'.repeat(5_000));
        made.getText('t').delete(0, 5_000);
      }
    });
    const document = liveDocument({ maxRoomBytes: 50_000 });
    for (const update of updates) document.apply([update]);
    expect(document.encode()).toEqual(Y.encodeStateAsUpdate(doc));
    expect(document.bytes).toBeLessThan(60_000);
  });

  test('is one for which other rooms leave too little memory', () => {
    const { state } = typed(['x'.repeat(2_000)]);
    expect(liveDocument({}, 1_000).merge(given(state), 'a').type).toBe('tooLarge');
    expect(liveDocument({}, 3_000).merge(given(state), 'a').type).toBe('merged');
  });
});

test('divergence compares the states merged last, of all servers or of some', () => {
  const { doc, state } = typed(['abc']);
  const document = liveDocument();
  document.merge(given(state), 'a');
  doc.getText('t').delete(0, 1);
  document.merge(given(Y.encodeStateAsUpdate(doc)), 'b');
  document.merge(given(Y.encodeStateAsUpdate(doc)), 'c');
  expect(document.divergence()).toMatchObject([{ server: 'a', missingDeletions: 1 }]);
  expect(document.divergence(['b', 'c', 'unknown'])).toEqual([]);
  document.merge(given(Y.encodeStateAsUpdate(doc)), 'a');
  expect(document.divergence()).toEqual([]);
});
