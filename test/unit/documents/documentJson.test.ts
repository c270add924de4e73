import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import * as Y from 'yjs';
import { documentJson } from '../../../server/documents/documentJson.js';
import type { Kind } from '../../../server/documents/sharedTypes.js';
import { runs } from '../../support/runs.js';
import { editAtRandom, editKinds } from './randomEdits.js';
import { docOf, edited } from './support.js';

const bounds = { maxBytes: 1e6, maxDepth: 100 };
const textOf = (doc: Y.Doc, options: object = {}): string =>
  new TextDecoder().decode(documentJson(doc, { ...bounds, ...options }).json);

// As it reaches the thread: by updates, no type asked for by kind.
const shown = (edit: (doc: Y.Doc) => void, types?: Record<string, Kind>): unknown =>
  JSON.parse(textOf(docOf(edited(edit).state), types ? { types } : {}));

describe('a document as JSON', () => {
  test('shows every kind of root type by its content', () => {
    expect(
      shown((doc) => {
        doc.getText('text').insert(0, 'héllo😀');
        doc.getArray('list').push([1, 'two', null, true, [1], { plain: 'object' }]);
        doc.getMap('map').set('b', 1);
        doc.getMap('map').set('a', 2);
        doc.getXmlFragment('page').insert(0, [new Y.XmlText('hi'), new Y.XmlElement('br')]);
      }),
    ).toEqual({
      list: { type: 'array', value: [1, 'two', null, true, [1], { plain: 'object' }] },
      map: { type: 'map', value: { a: 2, b: 1 } },
      page: {
        type: 'xml',
        value: [
          { type: 'xmlText', value: 'hi' },
          { type: 'xmlElement', name: 'br', value: [] },
        ],
      },
      text: { type: 'text', value: 'héllo😀' },
    });
  });

  test('shows a nested type as in docs/protocol.md', async () => {
    const json = JSON.stringify(shown((doc) => doc.getMap('map').set('inner', new Y.Text('hi'))));
    const [, example = ''] = /^\{"map":(.*)\}$/.exec(json) ?? [];
    expect(example).toBe('{"type":"map","value":{"inner":{"type":"text","value":"hi"}}}');
    expect(await readFile('docs/protocol.md', 'utf8')).toContain(`\`${example}\``);
  });

  test('shows nested types with their kind, sub-documents by guid', () => {
    expect(
      shown((doc) => {
        const list = new Y.Array();
        list.push([new Y.Map([['k', new Y.Text('deep')]])]);
        doc.getMap('map').set('list', list);
        doc.getMap('map').set('sub', new Y.Doc({ guid: 'the-guid', meta: { a: 1 } }));
        const element = new Y.XmlElement('p');
        const hook = new Y.XmlHook('chart');
        hook.set('size', 2);
        doc.getXmlFragment('page').insert(0, [element, hook as unknown as Y.XmlElement]);
        element.setAttribute('class', 'a');
        element.insert(0, [new Y.XmlText('x')]);
        doc.getMap('map').set('fragment', new Y.XmlFragment());
      }),
    ).toEqual({
      map: {
        type: 'map',
        value: {
          fragment: { type: 'xml', value: [] },
          list: {
            type: 'array',
            value: [{ type: 'map', value: { k: { type: 'text', value: 'deep' } } }],
          },
          sub: { type: 'document', guid: 'the-guid', meta: { a: 1 } },
        },
      },
      page: {
        type: 'xml',
        value: [
          {
            type: 'xmlElement',
            name: 'p',
            attributes: { class: 'a' },
            value: [{ type: 'xmlText', value: 'x' }],
          },
          { type: 'xmlHook', name: 'chart', value: { size: 2 } },
        ],
      },
    });
  });

  test('shows formatting, embeds and embedded types of a text as a delta', () => {
    expect(
      shown((doc) => {
        const text = doc.getText('t');
        text.insert(0, 'plain bold');
        text.format(6, 4, { bold: true, a: { b: 1 } });
        text.insertEmbed(5, { image: 'x' });
        text.insertEmbed(0, new Y.Map([['k', 1]]));
        text.setAttribute('lang', 'en');
      }),
    ).toEqual({
      t: {
        type: 'text',
        attributes: { lang: 'en' },
        value: 'plain bold',
        delta: [
          { insert: { type: 'map', value: { k: 1 } } },
          { insert: 'plain' },
          { insert: { image: 'x' } },
          { insert: ' ' },
          { insert: 'bold', attributes: { a: { b: 1 }, bold: true } },
        ],
      },
    });
  });

  test('shows any formatted text as Yjs does', () => {
    const kinds = fc.array(fc.tuple(fc.nat(3), fc.nat()), { maxLength: 30 });
    fc.assert(
      fc.property(kinds, (edits) => {
        const { doc, state } = edited((doc) => {
          for (const [kind, seed] of edits) editAtRandom(doc, kind, seed);
        });
        const { text } = JSON.parse(textOf(docOf(state), { types: { text: 'text' } }));
        const delta = doc.getText('text').toDelta();
        expect(text?.value ?? '').toBe(doc.getText('text').toString());
        expect(text?.delta ?? (text?.value ? [{ insert: text.value }] : [])).toEqual(delta);
      }),
      runs(40),
    );
  });

  test('does not change the document, nor the kind of its root types', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(editKinds - 1), fc.nat()), { maxLength: 20 }),
        (edits) => {
          const doc = docOf(
            edited((made) => {
              for (const [kind, seed] of edits) editAtRandom(made, kind, seed);
            }).state,
          );
          const before = Y.encodeStateAsUpdate(doc);
          const json = textOf(doc);
          textOf(doc, { types: { text: 'map', list: 'xml', map: 'text', page: 'array' } });
          expect(textOf(doc)).toBe(json);
          expect(Y.encodeStateAsUpdate(doc)).toEqual(before);
          for (const type of doc.share.values()) expect(type.constructor).toBe(Y.AbstractType);
        },
      ),
      runs(25),
    );
  });

  test('calls an empty root type unknown, and takes its kind from `types`', () => {
    const empty = (doc: Y.Doc) => {
      doc.getText('emptied').insert(0, 'x');
      doc.getText('emptied').delete(0, 1);
    };
    expect(shown(empty)).toEqual({ emptied: { type: 'unknown' } });
    expect(shown(empty, { emptied: 'text', absent: 'map' })).toEqual({
      emptied: { type: 'text', value: '' },
    });
    expect(shown(empty, { emptied: 'array' })).toEqual({ emptied: { type: 'array', value: [] } });
    expect(shown(empty, { emptied: 'map' })).toEqual({ emptied: { type: 'map', value: {} } });
    expect(shown(empty, { emptied: 'xml' })).toEqual({ emptied: { type: 'xml', value: [] } });
  });

  test('infers a list of only shared types as an array, and of only XML as a fragment', () => {
    expect(
      shown((doc) => {
        doc.getArray('maps').push([new Y.Map()]);
        doc.getXmlFragment('nodes').insert(0, [new Y.XmlElement('p')]);
        const root = doc.getXmlElement('element');
        root.insert(0, [new Y.XmlText('')]);
        root.setAttribute('id', '1');
        doc.getMap('emptied').set('k', 1);
        doc.getMap('emptied').delete('k');
        doc.getText('embeds').insertEmbed(0, { a: 1 });
      }),
    ).toMatchObject({
      maps: { type: 'array' },
      nodes: { type: 'xml' },
      element: { type: 'xml', attributes: { id: '1' } },
      emptied: { type: 'map', value: {} },
      embeds: { type: 'text', value: '' },
    });
  });

  test('represents values that JSON does not have', () => {
    expect(
      shown((doc) =>
        doc
          .getArray('list')
          .push([
            Number.NaN,
            Number.POSITIVE_INFINITY,
            Number.NEGATIVE_INFINITY,
            { inside: 9007199254740993n, undef: undefined },
            Uint8Array.of(0, 255, 16),
            { type: 'map', value: 'of the user' },
          ]),
      ),
    ).toEqual({
      list: {
        type: 'array',
        value: [
          { type: 'number', value: 'NaN' },
          { type: 'number', value: 'Infinity' },
          { type: 'number', value: '-Infinity' },
          { inside: { type: 'bigint', value: '9007199254740993' }, undef: { type: 'undefined' } },
          { type: 'binary', bytes: 3, base64: 'AP8Q' },
          { type: 'object', value: { type: 'map', value: 'of the user' } },
        ],
      },
    });
  });

  test('keeps names like __proto__', () => {
    const json = textOf(
      docOf(
        edited((doc) => {
          doc.getMap('__proto__').set('__proto__', 1);
          doc.getMap('constructor').set('toString', JSON.parse('{"__proto__":{"a":1}}'));
          doc.getText('t').insert(0, 'x', JSON.parse('{"__proto__":{"b":1}}'));
        }).state,
      ),
    );
    expect(json).toContain('"__proto__":{"type":"map","value":{"__proto__":1}}');
    expect(json).toContain('"constructor":{"type":"map","value":{"toString":');
    expect(Object.keys(JSON.parse(json)).sort()).toEqual(['__proto__', 'constructor', 't']);
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  test('is the same text for any order of updates', () => {
    const a = edited((doc) => doc.getMap('m').set('x', { z: 1, a: 2 }), 1).state;
    const b = edited((doc) => doc.getMap('m').set('b', 1), 2).state;
    const c = edited((doc) => doc.getText('a').insert(0, 't'), 3).state;
    expect(textOf(docOf(a, b, c))).toBe(textOf(docOf(c, b, a)));
    expect(textOf(docOf(a, b, c))).toBe(
      '{"a":{"type":"text","value":"t"},"m":{"type":"map","value":{"b":1,"x":{"a":2,"z":1}}}}',
    );
  });
});

describe('a document over the limits', () => {
  const everything = docOf(
    edited((doc) => {
      for (let i = 0; i < 60; i += 1) editAtRandom(doc, i, i * 7);
      doc.getText('long').insert(0, '😀\u0001"'.repeat(500));
      doc.getText('long').format(3, 3, { bold: true });
      doc
        .getArray('list')
        .push(['s'.repeat(2_000), new Uint8Array(1_000), { k: { l: [1, 2, 3] } }]);
    }).state,
  );

  test('is truncated at any number of bytes, says so, and stays valid JSON', () => {
    const whole = documentJson(everything, bounds);
    expect(whole.isTruncated).toBe(false);
    for (let maxBytes = 0; maxBytes < whole.json.length; maxBytes += 17) {
      const { json, isTruncated } = documentJson(everything, { ...bounds, maxBytes });
      const text = new TextDecoder('utf-8', { fatal: true }).decode(json);
      expect(() => JSON.parse(text)).not.toThrow();
      expect(isTruncated).toBe(true);
      expect(text).toMatch(/"type":"truncated"|"truncated":true/);
      expect(json.length).toBeLessThan(maxBytes + 500);
    }
  });

  test('is truncated at the maximum depth', () => {
    const doc = docOf(
      edited((made) => {
        let map = made.getMap('m');
        for (let i = 0; i < 20; i += 1) {
          const inner = new Y.Map<unknown>();
          map.set('k', inner);
          map = inner;
        }
        made.getArray('list').push([[[[[1]]]]]);
      }).state,
    );
    const { json, isTruncated } = documentJson(doc, { ...bounds, maxDepth: 2 });
    expect(isTruncated).toBe(true);
    expect(JSON.parse(new TextDecoder().decode(json))).toEqual({
      list: { type: 'array', value: [[[{ type: 'truncated' }]]] },
      m: {
        type: 'map',
        value: {
          k: {
            type: 'map',
            value: { k: { type: 'map', value: { k: { type: 'truncated' } } } },
          },
        },
      },
    });
  });

  test('keeps the beginning of long values', () => {
    const doc = docOf(edited((made) => made.getText('t').insert(0, 'a'.repeat(1_000))).state);
    const { t } = JSON.parse(textOf(doc, { maxBytes: 200 }));
    expect(t).toMatchObject({ type: 'text', truncated: true });
    expect(t.value).toMatch(/^a{50,200}$/);
  });
});
