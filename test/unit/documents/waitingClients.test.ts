import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as Y from 'yjs';
import { BadUpdate } from '../../../server/documents/documentErrors.js';
import { LiveDocument } from '../../../server/documents/liveDocument.js';
import { refuseWaiting } from '../../../server/documents/waitingClients.js';
import { runs } from '../../support/runs.js';
import { crowd, edited } from './support.js';

const limits = {
  maxRoomBytes: 1e7,
  maxTotalBytes: 1e7,
  maxPendingBytes: 1e6,
  maxJsonBytes: 1e7,
  maxJsonDepth: 100,
};
const newDocument = () => new LiveDocument(limits, () => 1e7);
const why = 'too many clients wait for missing updates';

// What Yjs leaves waiting of an update, in clients.
const waitingByYjs = (update: Uint8Array): number => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  const { pendingStructs } = doc.store;
  if (pendingStructs === null) return 0;
  return Y.parseUpdateMetaV2(pendingStructs.update).from.size;
};

describe('clients that wait for missing updates', () => {
  test.each([
    ['each for one that never comes', crowd(5_000, () => 1)],
    ['each for the next, and the last for one that never comes', crowd(5_000, (i) => i - 1)],
    ['each for the next, all around', crowd(5_000, (i) => (i === 2 ? 5_001 : i - 1))],
    ['a part of them, the rest to be gone through', crowd(20_000, (i) => (i < 18_000 ? 0 : 1))],
  ])('%s: too many are refused before Yjs sees them', (_what, update) => {
    const document = newDocument();
    const state = () => new Uint8Array(update);
    expect(() => document.merge(state(), 'a')).toThrow(why);
    expect(() => document.check(state())).toThrow(BadUpdate);
    expect(document.apply([state()])).toEqual([{ code: 'bad_update', message: why }]);
    // The document is as it was.
    document.apply([edited((doc) => doc.getText('t').insert(0, 'hello')).state]);
    expect(Buffer.from(document.toJson({}).json).toString()).toContain('hello');
  });

  test.each([
    ['none, of 5,000', crowd(5_000, () => 0), 5_000],
    [
      'none, of 20,000 that build upon each other',
      crowd(20_000, (i) => (i === 2 ? 0 : i - 1)),
      20_000,
    ],
    ['400, of 20,000', crowd(20_000, (i) => (i < 19_602 ? 0 : 1)), 19_600],
    ['3,000, of 3,000', crowd(3_000, () => 1), 0],
  ])('%s: as many are taken, as Yjs takes them', (_what, update, taken) => {
    const document = newDocument();
    document.merge(new Uint8Array(update), 'a');
    expect(Y.decodeStateVector(document.stateVector()).size).toBe(taken);
    expect(newDocument().apply([update])).toMatchObject([{ applied: { isApplied: true } }]);
  });

  test('are counted against what the document has', () => {
    const base = edited((doc) => doc.getText('t').insert(0, 'a'), 1);
    const waiting = crowd(5_000, () => 1);
    const document = newDocument();
    expect(() => document.merge(new Uint8Array(waiting), 'a')).toThrow(why);
    document.apply([base.state]);
    document.merge(new Uint8Array(waiting), 'a');
    expect(Y.decodeStateVector(document.stateVector()).size).toBe(5_001);
  });

  test('stay within the bound over many updates', () => {
    const document = newDocument();
    let dropped = 0;
    for (let i = 0; i < 5; i += 1) {
      const [outcome] = document.apply([crowd(1_000, () => 1, 2 + i * 1_000)]);
      if (outcome && 'applied' in outcome && outcome.applied.droppedBytes > 0) dropped += 1;
    }
    expect(dropped).toBe(1);
  });

  test('are counted as Yjs counts them', () => {
    const refers = fc.array(fc.nat(60), { minLength: 4, maxLength: 50 });
    const property = fc.property(refers, (to) => {
      const update = crowd(to.length, (i) => (to[i - 2] === i ? 0 : (to[i - 2] ?? 0)));
      const waiting = waitingByYjs(update);
      // A limit equal to the count accepts the update, a lower one refuses it.
      const most = waiting * to.length;
      expect(() => refuseWaiting(update, undefined, most)).not.toThrow();
      if (waiting > 0) expect(() => refuseWaiting(update, undefined, most - 1)).toThrow(why);
    });
    fc.assert(property, runs(150));
  });
});
