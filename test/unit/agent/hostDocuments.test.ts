import { afterEach, expect, jest, test } from '@jest/globals';
import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';
import type { Host, HostDocument } from '../../../server/agent/hocuspocus/host.js';
import { HostDocuments } from '../../../server/agent/hocuspocus/hostDocuments.js';

const made = new Set<Y.Doc>();
// Each has a timer.
afterEach(() => {
  for (const document of made) document.destroy();
  made.clear();
});

/** As Hocuspocus makes them. */
class Document extends Y.Doc {
  connections = new Map<unknown, unknown>();
  directConnectionsCount = 0;
  isLoading = false;
  readonly awareness = new Awareness(this);
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
    this.awareness.setLocalState(null);
    made.add(this);
  }

  merge(document: Y.Doc): void {
    Y.applyUpdate(this, Y.encodeStateAsUpdate(document));
  }
}

function start({ countDirect = false } = {}) {
  const changes: [room: string, by: number][] = [];
  const slow: number[] = [];
  const map = new Map<string, Document>();
  const documents = new HostDocuments({
    found: () => undefined,
    changed: (room, by) => void changes.push([room, by]),
    unsupported: () => undefined,
    slow: (ms) => void slow.push(ms),
    countDirect,
  });
  documents.use({ documents: map } as unknown as Host);
  const load = (name: string) => {
    const document = new Document(name);
    documents.watch(document as unknown as HostDocument);
    map.set(name, document);
    return document;
  };
  const counts = () => Object.fromEntries(documents.connections());
  return { documents, map, load, changes, slow, counts };
}

test('a document without connections is listed with 0', () => {
  const { load, counts } = start();
  load('a');
  load('b').connections.set('client', {});
  expect(counts()).toEqual({ a: 0, b: 1 });
});

test('each change is told in its own step, and an entry that is replaced is none', () => {
  const { load, changes } = start();
  const { connections } = load('a');
  connections.set('one', {});
  expect(changes).toEqual([['a', 1]]);
  connections.set('one', {});
  connections.set('two', {});
  connections.delete('three');
  expect(changes.splice(0)).toEqual([
    ['a', 1],
    ['a', 1],
  ]);
  connections.clear();
  expect(changes).toEqual([['a', -2]]);
});

test('a connection to a document that was unloaded meanwhile is counted', () => {
  const { load, map, counts } = start();
  const unloaded = load('a');
  map.delete('a');
  unloaded.connections.set('late', {});
  load('a').connections.set('client', {});
  expect(counts()).toEqual({ a: 2 });
  unloaded.connections.delete('late');
  expect(counts()).toEqual({ a: 1 });
});

test('a map that somebody put in place of the watched one is counted from the next snapshot on', () => {
  const { load, counts, changes } = start();
  const document = load('a');
  const before = document.connections;
  before.set('one', {});
  document.connections = new Map([
    ['one', {}],
    ['two', {}],
  ]);
  expect(counts()).toEqual({ a: 2 });
  changes.length = 0;
  before.delete('one');
  document.connections.delete('one');
  expect([changes, counts()]).toEqual([[['a', -1]], { a: 1 }]);
});

test('direct connections are counted with the others if that is wanted', () => {
  const [without, withDirect] = [start(), start({ countDirect: true })];
  for (const { load } of [without, withDirect]) {
    const document = load('a');
    document.connections.set('client', {});
    document.directConnectionsCount += 1;
  }
  expect(without.counts()).toEqual({ a: 1 });
  expect(withDirect.counts()).toEqual({ a: 2 });
  expect(withDirect.changes).toEqual([
    ['a', 1],
    ['a', 1],
  ]);
});

test('a document that is still loading is not given', () => {
  const { documents, load, counts } = start();
  const document = load('a');
  document.isLoading = true;
  expect([documents.encodedState('a'), counts()]).toEqual([undefined, {}]);
  document.isLoading = false;
  expect(documents.encodedState('a')).toEqual(Y.encodeStateAsUpdate(document));
});

test('a document is encoded byte by byte as Yjs does, with what was deleted in it', () => {
  const { documents, load } = start();
  const document = load('a');
  for (const client of [1, 2, 3]) {
    const other = new Y.Doc();
    other.clientID = client;
    other.getText('text').insert(0, 'one two');
    other.getText('text').delete(1, 3);
    document.merge(other);
  }
  document.getMap('map').set('key', { deep: [1, null] });
  expect(documents.encodedState('a')).toEqual(Y.encodeStateAsUpdate(document));
});

test('what a document keeps of deleted content is in its state', () => {
  const { documents, load } = start();
  const document = load('a');
  document.gc = false;
  document.getText('text').insert(0, 'one two');
  document.getText('text').delete(1, 3);
  const state = documents.encodedState('a');
  expect(state).toEqual(Y.encodeStateAsUpdate(document));
  expect(Buffer.from(state ?? []).toString('latin1')).toContain('ne ');
});

test('a copy that took long is told', () => {
  const { documents, load, slow } = start();
  load('a');
  const now = jest.spyOn(performance, 'now');
  now.mockReturnValueOnce(0).mockReturnValueOnce(49);
  documents.encodedState('a');
  expect(slow).toEqual([]);
  now.mockReturnValueOnce(0).mockReturnValueOnce(80);
  documents.encodedState('a');
  expect(slow).toEqual([80]);
  now.mockRestore();
});
