import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as Y from 'yjs';
import { BadUpdate } from '../../../server/documents/documentErrors.js';
import { LiveDocument } from '../../../server/documents/liveDocument.js';
import { readUpdate, type StructKind } from '../../../server/documents/updateReader.js';
import { runs } from '../../support/runs.js';
import { play, type Session, sessions } from './randomEdits.js';
import { edited } from './support.js';

type Struct = [client: number, clock: number, length: number, kind: StructKind];

const read = (update: Uint8Array) => {
  const structs: Struct[] = [];
  const deletions: [client: number, clock: number, length: number][] = [];
  readUpdate(update, {
    struct: (client, clock, length, kind) => structs.push([client, clock, length, kind]),
    deletion: (client, clock, length) => deletions.push([client, clock, length]),
  });
  return { structs, deletions };
};

// The same by Yjs's own decoder.
const readByYjs = (update: Uint8Array) => {
  const { structs, ds } = Y.decodeUpdate(update);
  const kindOf = (struct: (typeof structs)[number]): StructKind => {
    if (struct instanceof Y.Skip) return 'gap';
    if (!(struct instanceof Y.Item) || struct.content instanceof Y.ContentDeleted) return 'deleted';
    return struct.content instanceof Y.ContentFormat ? 'format' : 'content';
  };
  return {
    structs: structs.map((s): Struct => [s.id.client, s.id.clock, s.length, kindOf(s)]),
    deletions: [...ds.clients].flatMap(([client, items]) =>
      items.map(({ clock, len }) => [client, clock, len]),
    ),
  };
};

const someEdits = sessions({ maxLength: 40 });

/** The updates of a session, and the states that its clients have at the end. */
const updatesOf = (session: Session): Uint8Array[] => {
  const { updates, docs } = play(session);
  return [...updates, ...docs.map((doc) => Y.encodeStateAsUpdate(doc))];
};

const withPending = (): Uint8Array => {
  const { updates } = edited((doc) => {
    for (const word of ['a', 'b', 'c']) doc.getText('t').insert(0, word);
  });
  const doc = new Y.Doc();
  for (const i of [0, 2]) Y.applyUpdate(doc, updates[i] ?? new Uint8Array());
  return Y.encodeStateAsUpdate(doc);
};

describe('reading an update', () => {
  test('finds the same as Yjs in real updates and states', () => {
    fc.assert(
      fc.property(someEdits, (session) => {
        for (const update of updatesOf(session)) expect(read(update)).toEqual(readByYjs(update));
      }),
      runs(40),
    );
  });

  test('finds the gap before a struct that waits for a missing update', () => {
    const state = withPending();
    expect(read(state)).toEqual(readByYjs(state));
    expect(read(state).structs.map(([, , , kind]) => kind)).toContain('gap');
  });

  test('refuses every truncation of an update', () => {
    for (const update of updatesOf([4, 0, 1, 7, 9, 10, 3].map((kind, i) => [kind, i, i % 3]))) {
      for (let length = 0; length < update.length; length += 1) {
        expect(() => read(update.subarray(0, length))).toThrow(BadUpdate);
      }
    }
  });

  test('refuses updates of format v2, which begin like an empty v1 update', () => {
    for (const update of updatesOf([[4, 1, 0]])) {
      expect(() => read(Y.convertUpdateFormatV1ToV2(update))).toThrow(BadUpdate);
    }
  });

  test('refuses at once a v2 update whose run lengths claim more structs than memory holds', () => {
    const update = Buffer.from(
      'AAEHAQABBwEAAQcHAQABBwEAAQcBAAEAAQcBAARudWxsYm9sZARudWxsYi9sZARudWxsYm9sZARudWxsYm9sZARudWxsYm9s' +
        'ZARudWxsYm9sZARudWxsYm9sZARudWxsYm9sZARudWxsYm9sZARudWxsYm9sZARNB4HfwyyAgfTDkPzHOQAAAAA=',
      'base64',
    );
    expect(() => read(update)).toThrow(BadUpdate);
  });

  test.each([
    ['nothing', []],
    ['bytes after the end', [0, 0, 0]],
    ['an unknown content', [1, 1, 1, 0, 11, 1, 1, 116, 0, 0]],
    ['an unknown kind of shared type', [1, 1, 1, 0, 7, 1, 1, 116, 7, 0]],
    ['an unknown type of value', [1, 1, 1, 0, 8, 1, 1, 116, 1, 100, 0]],
    ['an origin that is the struct itself', [1, 1, 1, 0, 0x84, 1, 0, 1, 97, 0]],
    ['an origin that comes later', [1, 1, 1, 0, 0x84, 1, 9, 1, 97, 0]],
    ['a right origin that comes later', [1, 1, 1, 0, 0x44, 1, 9, 1, 97, 0]],
    ['a parent that comes later', [1, 1, 1, 0, 4, 0, 1, 9, 1, 97, 0]],
    ['text that is not UTF-8', [1, 1, 1, 0, 4, 1, 1, 116, 1, 0xff, 0]],
    ['formatting that is not JSON', [1, 1, 1, 0, 6, 1, 1, 116, 1, 98, 1, 123, 0]],
    ['a sub-document without options', [1, 1, 1, 0, 9, 1, 1, 116, 1, 103, 126, 0]],
    [
      'a sub-document whose options replace its guid',
      [1, 1, 1, 0, 9, 1, 1, 116, 1, 103, 118, 1, 4, 103, 117, 105, 100, 126, 0],
    ],
    ['a clock beyond any', [1, 1, 1, 1, 0, 255, 255, 255, 255, 255, 255, 255, 15, 0]],
    ['a count of millions', [1, 255, 255, 255, 127, 1, 0]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => read(Uint8Array.from(bytes))).toThrow(BadUpdate);
  });

  test('refuses values nested too deep to be written again', () => {
    const nested = (depth: number) => {
      let value: unknown = 1;
      for (let i = 0; i < depth; i += 1) value = [value];
      return edited((doc) => doc.getArray('list').push([value])).state;
    };
    expect(() => read(nested(400))).not.toThrow();
    expect(() => read(nested(600))).toThrow(/too deep/);
  });

  // What Yjs trips over may show only when it is written or read again.
  const expectSound = (document: LiveDocument) => {
    expect(document.takeLoss()).toBe(false);
    document.toJson({ text: 'array', list: 'text', map: 'xml', page: 'map' });
    const encoded = document.encode();
    expect(() => read(encoded)).not.toThrow();
    Y.applyUpdate(new Y.Doc(), encoded);
  };
  // Yjs may still fail where the document is at fault: it is then given up as a whole, and works again.
  const tell = (document: LiveDocument, step: () => unknown): boolean => {
    let failure: unknown;
    try {
      step();
    } catch (cause) {
      failure = cause;
    }
    const isLost = document.takeLoss();
    if (!isLost && failure !== undefined) throw failure;
    if (isLost) expect(document.encode()).toEqual(Uint8Array.of(0, 0));
    return isLost;
  };
  const limits = {
    maxRoomBytes: 1e6,
    maxTotalBytes: 1e6,
    maxPendingBytes: 1e5,
    maxJsonBytes: 1e6,
    maxJsonDepth: 100,
  };

  test('accepts no update that makes a document throw, then or later', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(255)), {
      minLength: 1,
      maxLength: 60,
    });
    const lost: boolean[] = [];
    const property = fc.property(someEdits, flips, (session, changes) => {
      const updates = updatesOf(session).map((update) => new Uint8Array(update));
      for (const [which, where, byte] of changes) {
        const update = updates[which % Math.max(1, updates.length)];
        // Small numbers make what still looks like an update.
        if (update) update[where % update.length] = where % 3 ? byte % 12 : byte;
      }
      const document = new LiveDocument(limits, () => 1e6);
      lost.push(tell(document, () => document.apply(updates)));
      expectSound(document);
    });
    fc.assert(property, {
      numRuns: 300,
      examples: [
        // Text whose first characters the document knows as text of a deleted type.
        [
          [
            [0, 0, 2],
            [6, 0, 1],
            [5, 0, 0],
            [0, 0, 1],
          ],
          [[604_094_011, 675_975_743, 112]],
        ],
        // And as something collected.
        [
          [
            [10, 0, 0],
            [0, 0, 2],
            [6, 0, 0],
            [3, 0, 0],
            [3, 0, 0],
          ],
          [
            [354_345_498, 2_108_417_546, 98],
            [1_922_954_777, 2_015_000_912, 73],
            [0, 0, 0],
          ],
        ],
      ],
    });
    // The examples come first; of the others about one in ten thousand, see the last test.
    expect(lost.slice(0, 2)).not.toContain(true);
    expect(lost.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  test('lets a document survive clients with one id and different contents', () => {
    const turns = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1 });
    const lost: boolean[] = [];
    const property = fc.property(someEdits, someEdits, turns, (one, other, order) => {
      const lines = [updatesOf(one), updatesOf(other)] as const;
      let losses = 0;
      const document = new LiveDocument(limits, () => 1e6);
      for (let i = 0; lines[0].length + lines[1].length > 0; i += 1) {
        const [isOther, isLast] = order[i % order.length] ?? [false, false];
        const [first, second] = isOther ? [lines[1], lines[0]] : lines;
        const update = (first.length > 0 ? first : second).splice(isLast ? -1 : 0, 1);
        // Servers that hold different things, now and then.
        const isLost = tell(document, () => {
          if (i % 5 !== 4) document.apply(update);
          else for (const state of update) document.merge(new Uint8Array(state), `${i}`);
        });
        if (isLost) losses += 1;
      }
      lost.push(losses > 0);
      expectSound(document);
    });
    fc.assert(property, {
      numRuns: 100,
      examples: [
        [
          [
            [2, 0, 2],
            [6, 0, 2],
          ],
          [
            [6, 0, 2],
            [0, 0, 2],
          ],
          [
            [true, false],
            [false, false],
          ],
        ],
        [
          [
            [6, 0, 1],
            [0, 0, 1],
          ],
          [
            [10, 0, 1],
            [11, 0, 0],
          ],
          [[true, false]],
        ],
        [
          [
            [6, 0, 1],
            [0, 0, 1],
          ],
          [
            [10, 0, 1],
            [11, 0, 0],
          ],
          [[false, false]],
        ],
      ],
    });
    // The examples come first; of the others about one in ten thousand, see the last test.
    expect(lost.slice(0, 3)).not.toContain(true);
    expect(lost.filter(Boolean).length).toBeLessThanOrEqual(1);
  });

  test('lets a document cut a waiting update that is partly known', () => {
    const other = edited((doc) => doc.getArray('list').insert(0, [new Y.Text()]), 2);
    const typed = edited((doc) => {
      Y.applyUpdate(doc, other.state);
      doc.getArray<Y.Text>('list').get(0).insert(0, 'abcd');
    });
    const collected = edited((doc) => {
      doc.getArray('list').insert(0, [new Y.Text('a')]);
      doc.getArray('list').delete(0, 1);
    });
    const document = new LiveDocument(limits, () => 1e6);
    // The typed text waits for its parent. The document then gets other content under its first two clocks.
    const waiting = Y.diffUpdate(typed.state, Y.encodeStateVector(other.doc));
    for (const update of [waiting, collected.state, other.state]) document.apply([update]);
    expectSound(document);
    expect(Y.decodeStateVector(document.stateVector())).toEqual(
      new Map([
        [1, 4],
        [2, 1],
      ]),
    );
  });

  test('loses a document when clients with one id split the value of a map', () => {
    const nested = edited((doc) => {
      const map = new Y.Map([['inner', new Y.Text('inner')]]);
      doc.getArray('list').insert(0, [map]);
    });
    const typed = edited((doc) => doc.getText('text').insert(0, 'abcd'));
    const told = (clientID: number, at: number, ...before: Uint8Array[]) =>
      edited((doc) => {
        for (const update of before) Y.applyUpdate(doc, update);
        doc.getText('text').insert(at, 'xy');
      }, clientID).updates.at(-1) ?? new Uint8Array();
    // What the first client typed after its second clock is, in the document, a value of the map.
    const value = told(2, 2, typed.state);
    const split = told(3, 3, typed.state, value);
    const deletion = Uint8Array.of(0, 1, 1, 1, 0, 1);
    const document = new LiveDocument(limits, () => 1e6);
    const updates = [nested.state, value, split, deletion];
    expect(tell(document, () => document.apply(updates))).toBe(true);
    document.apply([typed.state]);
    expect(Buffer.from(document.toJson({ text: 'text' }).json).toString()).toContain('abcd');
    expectSound(document);
  });
});
