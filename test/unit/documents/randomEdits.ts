/** Random edits of every kind, on documents that receive the updates of others. */

import fc from 'fast-check';
import * as Y from 'yjs';

type Random = (below: number) => number;

const edits: readonly ((doc: Y.Doc, random: Random) => void)[] = [
  (doc, random) => doc.getText('text').insert(random(doc.getText('text').length + 1), 'aé😀'),
  (doc, random) => {
    const text = doc.getText('text');
    if (text.length > 2) text.format(random(text.length - 2), 2, { bold: random(2) ? true : null });
  },
  (doc, random) =>
    doc.getText('text').insertEmbed(random(doc.getText('text').length + 1), { a: 1 }),
  (doc, random) => {
    const text = doc.getText('text');
    if (text.length > 0) text.delete(random(text.length), 1);
  },
  (doc, random) => {
    const list = doc.getArray('list');
    list.insert(random(list.length + 1), [1, 'x', { a: [null, undefined, 5n, 1.5] }]);
  },
  (doc, random) => {
    const list = doc.getArray('list');
    if (list.length > 0) list.delete(random(list.length), 1);
  },
  (doc, random) => {
    const nested = new Y.Map();
    nested.set('inner', new Y.Text('inner'));
    doc.getArray('list').insert(random(doc.getArray('list').length + 1), [nested]);
  },
  (doc, random) => doc.getMap('map').set(`k${random(3)}`, random(2) ? Uint8Array.of(1, 2) : 'v'),
  (doc, random) => doc.getMap('map').delete(`k${random(3)}`),
  (doc, random) => doc.getMap('map').set(`k${random(3)}`, new Y.Doc({ guid: 'sub' })),
  (doc, random) => {
    const page = doc.getXmlFragment('page');
    const element = new Y.XmlElement('p');
    // A hook is a child by the protocol, not by Yjs's types.
    const hook = new Y.XmlHook('hook') as unknown as Y.XmlElement;
    page.insert(random(page.length + 1), [element, hook]);
    element.setAttribute('class', 'c');
    element.insert(0, [new Y.XmlText('text')]);
  },
  (doc, random) => {
    const page = doc.getXmlFragment('page');
    if (page.length > 0) page.delete(random(page.length), 1);
  },
];

/** How many kinds of edits `editAtRandom` knows. */
export const editKinds = edits.length;

/** One edit of a kind, at places that `seed` decides. */
export const editAtRandom = (doc: Y.Doc, kind: number, seed: number): void => {
  let state = seed >>> 0;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  edits[kind % editKinds]?.(doc, random);
};

/** Edits as kind, seed and which of the three clients of `play` makes them. */
export const sessions = (bounds: { minLength?: number; maxLength: number }) =>
  fc.array(fc.tuple(fc.nat(editKinds - 1), fc.nat(), fc.nat(2)), bounds);
export type Session = readonly (readonly [kind: number, seed: number, client: number])[];

/** Three clients that receive each other's updates at once, so that what they make refers to each other. */
export const play = (session: Session): { updates: Uint8Array[]; docs: Y.Doc[] } => {
  const updates: Uint8Array[] = [];
  const docs = [1, 2, 300].map((clientID) => Object.assign(new Y.Doc(), { clientID }));
  for (const doc of docs) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === 'told') return;
      updates.push(update);
      for (const other of docs) if (other !== doc) Y.applyUpdate(other, update, 'told');
    });
  }
  for (const [kind, seed, client] of session) {
    const doc = docs[client];
    if (doc) editAtRandom(doc, kind, seed);
  }
  return { updates, docs };
};

/** An edit on one of four servers, and which servers receive its updates, one bit each. */
export const exchanges = fc.record({
  server: fc.nat(3),
  kind: fc.nat(editKinds - 1),
  seed: fc.nat(),
  receivers: fc.nat(15),
});
type Exchange = typeof exchanges extends fc.Arbitrary<infer T> ? T : never;

/** Makes the edit and passes its updates on. Returns them. */
export const exchange = (
  docs: readonly Y.Doc[],
  { server, kind, seed, receivers }: Exchange,
): Uint8Array[] => {
  const doc = docs[server] ?? new Y.Doc();
  const updates: Uint8Array[] = [];
  const keep = (update: Uint8Array) => updates.push(update);
  doc.on('update', keep);
  editAtRandom(doc, kind, seed);
  doc.off('update', keep);
  docs.forEach((other, i) => {
    if (receivers & (1 << i)) for (const update of updates) Y.applyUpdate(other, update);
  });
  return updates;
};
