import assert from 'node:assert/strict';
import type { Context } from 'koa';
import * as Y from 'yjs';
import {
  defaultNetworks,
  isAddress,
  isLinkLocal,
  isLoopback,
  normalizeAddress,
  normalizeHost,
  parseNetworks,
  parseServerId,
  subscriberOf,
} from '../../server/addresses.js';
import { readAwarenessUpdate, soleClientOf } from '../../server/documents/awarenessUpdate.js';
import { BadUpdate } from '../../server/documents/documentErrors.js';
import { examineUpdate, summarizeUpdate } from '../../server/documents/updateSummary.js';
import { withoutEmpty } from '../../server/documents/withoutEmpty.js';
import { Feed } from '../../server/fleet/feed.js';
import { Hosts } from '../../server/http/auth/hosts.js';
import { hiddenNameOf, isNavigation, isOwnPage } from '../../server/http/auth/origins.js';
import { Sessions } from '../../server/http/auth/sessions.js';
import { cameByHttps, viewerAddress } from '../../server/http/remoteAddress.js';
import { namesInPath, namesOf } from '../../server/http/routes/roomNames.js';
import { EventTokens } from '../../server/pubsub/eventTokens.js';
import { parseContent } from '../../server/pubsub/parseContent.js';
import { InvalidPost, parsePosted } from '../../server/pubsub/parsePosted.js';
import { SnapshotReader } from '../../server/pubsub/snapshotReader.js';
import { readCursor, writeCursor } from '../../server/rooms/lookup/roomListCursor.js';
import { InvalidCursor } from '../../server/store/store.js';
import { FakeSource } from '../support/fakeSource.js';
import { FakeViewer } from '../support/fakeViewer.js';

/** A reader of what strangers write, and what has to hold whatever they write. */
export interface Target {
  readonly name: string;
  /** Inputs that are read to their end. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Pieces of which inputs are made. */
  readonly tokens: readonly string[];
  /** Throws when something does not hold. */
  readonly check: (input: Buffer) => void;
}

/** What reading comes to; undefined: the input was refused by an error of the kind that it is to be refused by. */
function attempt<T>(read: () => T, isRefusal: (error: unknown) => boolean): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}

const isError = (error: unknown) => error instanceof Error && !(error instanceof RangeError);
const isInvalidCursor = (error: unknown) => error instanceof InvalidCursor;

const json = [
  '[',
  ']',
  '{',
  '}',
  '{"a":',
  '"',
  ',',
  ':',
  '\\u0000',
  '\\"',
  '1',
  '-1',
  '1e9',
  'null',
];
const notMany = { maxRooms: 100, maxNamesLength: 1000 };

const snapshots: Target = {
  name: 'snapshots',
  seeds: [
    '[{"a":1},{"b\\n":2}]',
    '[]',
    '[{"a":1,"b":[1,{"c":"]"}]},null,{},"x"]',
    ' [ { "a" : 1 } ] ',
  ],
  tokens: json,
  check: (input) => {
    const whole = attempt(() => new SnapshotReader(input, notMany).readUntil(Infinity), isError);
    let isArray = false;
    try {
      isArray = Array.isArray(JSON.parse(input.toString()));
    } catch {
      // It is no JSON, and must have been refused.
    }
    assert.equal(whole !== undefined, isArray);
    assert.ok((whole?.size ?? 0) <= notMany.maxRooms + 1);
    for (const [room, count] of whole ?? []) {
      assert.equal(typeof room, 'string');
      assert.ok(Number.isInteger(count) && count > 0 && count <= 1e9);
    }
    const pieces = new SnapshotReader(input, notMany);
    const inPieces = attempt(() => {
      for (;;) {
        const connections = pieces.readUntil(Number.NEGATIVE_INFINITY);
        if (connections) return connections;
      }
    }, isError);
    assert.deepEqual(inPieces, whole);
  },
};

const deltas: Target = {
  name: 'deltas',
  seeds: ['{"room":"a","add":1}', '[{"room":"a","add":-1},{"room":"b","update":"AAAA"}]', '[]'],
  tokens: [...json, '"room":', '"add":', '"update":', 'AAA=', '__proto__'],
  check: (input) => {
    const isRefusal = (error: unknown) => error instanceof InvalidPost;
    const posted = attempt(() => parsePosted(input.toString()), isRefusal);
    for (const { room, add } of posted?.deltas ?? []) {
      assert.ok(typeof room === 'string' && room.length <= 16_384);
      assert.ok(Number.isInteger(add) && add !== 0 && Math.abs(add) <= 1000);
    }
    for (const { room, update } of posted?.updates ?? [])
      assert.ok(typeof room === 'string' && typeof update === 'string');
  },
};

const content: Target = {
  name: 'content',
  seeds: ['{"room":"a","update":"AAA="}', '[{"room":"a","awareness":""},{"room":"","lost":true}]'],
  tokens: [...json, '"room":', '"update":', '"awareness":', '"lost":true', '"add":', 'AA==', '_-'],
  check: (input) => {
    const isRefusal = (error: unknown) => error instanceof InvalidPost;
    for (const entry of attempt(() => parseContent(input.toString()), isRefusal) ?? []) {
      assert.ok(typeof entry.room === 'string' && entry.room.length <= 16_384);
      assert.ok(!('add' in entry));
      if ('update' in entry) assert.match(entry.update, /^[A-Za-z0-9+/]*={0,2}$/);
      else if ('awareness' in entry) assert.match(entry.awareness, /^[A-Za-z0-9+/]*={0,2}$/);
      else assert.equal(entry.lost, true);
    }
  },
};

function exampleUpdates(): Uint8Array[] {
  const doc = new Y.Doc();
  doc.clientID = 7;
  const updates: Uint8Array[] = [];
  doc.on('update', (update) => updates.push(update));
  doc.getText('t').insert(0, 'text', { bold: true });
  doc.getMap('m').set('k', new Y.Array());
  doc.getArray('a').insert(0, [1, 'x', null, { deep: [true] }, new Uint8Array([1])]);
  doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p')]);
  doc.getText('t').delete(1, 2);
  doc.getMap('m').set('sub', new Y.Doc());
  return [...updates, Y.encodeStateAsUpdate(doc)];
}

const updates: Target = {
  name: 'updates',
  seeds: exampleUpdates(),
  tokens: [
    '\x00',
    '\x01',
    '\x07',
    '\x7f',
    '\xff\xff\xff\xff\x0f',
    '\x00\x00',
    '\x88',
    '\x84',
    '\x28',
  ],
  check: (input) => {
    const examined = attempt(
      () => examineUpdate(input),
      (error) => error instanceof BadUpdate,
    );
    const doc = new Y.Doc();
    if (!examined) return;
    // What is described Yjs applies, and its summary can be sent.
    Y.applyUpdate(doc, examined.hasEmpty ? withoutEmpty(input) : input);
    JSON.stringify(summarizeUpdate(examined));
  },
};

const awareness: Target = {
  name: 'awareness',
  seeds: [
    Uint8Array.from([1, 7, 1, 2, 0x7b, 0x7d]),
    Uint8Array.from([2, 7, 1, 4, ...Buffer.from('null'), 8, 2, 7, ...Buffer.from('{"a":1}')]),
  ],
  tokens: [
    '\x00',
    '\x01',
    '\xff\xff\xff\xff\xff\xff\xff\x0f',
    '{"user":{"name":"',
    '"}}',
    'null',
    '[[[[',
  ],
  check: (input) => {
    const announced = attempt(
      () => readAwarenessUpdate(input),
      (error) => error instanceof Error,
    );
    for (const { client, clock, json: text, isTooDeep } of announced ?? []) {
      assert.ok(Number.isSafeInteger(client) && Number.isSafeInteger(clock));
      if (!isTooDeep) assert.ok(!/[\n\r]/.test(text));
      JSON.parse(text);
    }
    soleClientOf(input);
  },
};

const context = (url: string, headers: Record<string, string>) =>
  ({
    req: { url, headers, rawHeaders: [], socket: { remoteAddress: '10.0.0.9' } },
    get: (name: string) => headers[name.toLowerCase()] ?? '',
  }) as unknown as Context;

const names: Target = {
  name: 'names',
  seeds: ['a%20b', '%F0%9F%98%80', '100%', 'a/b', '%', '%C3%28', 'http://x/api/rooms/a'],
  tokens: ['%', '%2F', '%00', '/', '?', '=', '..', '%E2%80%AE', 'http://', '/api/rooms/'],
  check: (input) => {
    const raw = input.toString('latin1');
    const [first, second] = namesOf(raw);
    assert.equal(first, raw);
    assert.notEqual(second, first);
    const suffix = raw.length % 2 === 0 ? '' : '/events';
    const inPath = namesInPath(context(`/api/rooms/${raw}${suffix}`, {}), suffix);
    assert.ok(inPath.every((name) => typeof name === 'string'));
  },
};

const cursors: Target = {
  name: 'cursors',
  seeds: [
    'stored',
    'live.YQA',
    writeCursor({ phase: 'busiest', after: { connections: 3, key: 'a' } }),
  ],
  tokens: ['stored', 'live', 'busiest', '.', 'MQAgAA', '=', '-', '_'],
  check: (input) => {
    const text = input.toString('latin1');
    for (const sort of ['name', 'connections'] as const) {
      const cursor = attempt(() => readCursor(text, sort), isInvalidCursor);
      if (cursor) assert.equal(writeCursor(cursor), text);
    }
  },
};

const sessions = new Sessions('a token of this process');
const tokens = new EventTokens();

const secrets: Target = {
  name: 'secrets',
  seeds: [
    `${'a'.repeat(22)}.99999999999999.${'b'.repeat(43)}`,
    'WyIxIiwzLDFd.abcdefghijklmnopqrstuv',
  ],
  tokens: ['.', '-', '_', '=', '9'.repeat(15), 'A'.repeat(43)],
  check: (input) => {
    const text = input.toString('latin1');
    assert.equal(sessions.read(text), undefined);
    assert.equal(tokens.read(text), undefined);
  },
};

const usualNetworks = parseNetworks(defaultNetworks);
const trusted = parseNetworks('10.0.0.0/8,::1');
const hosts = new Hosts({
  allowedHosts: ['a.example'],
  publicUrl: 'http://b.example:8000',
  isTokenRequired: false,
  trustedProxies: trusted,
});

const headers: Target = {
  name: 'headers',
  seeds: [
    '203.0.113.6:51234, 10.0.0.1',
    '[2001:db8::6]:51234',
    'a.example',
    'https://a.example:8443',
    'http://[::1]:8000',
  ],
  tokens: [
    ',',
    ', ',
    '[',
    ']',
    ':',
    '::',
    '::ffff:',
    '%25',
    '1.2.3.4',
    'https://',
    'null',
    '0x7f.1',
  ],
  check: (input) => {
    const text = input.toString('latin1');
    for (const host of [text, 'a.example']) {
      const ctx = context('/', {
        'x-forwarded-for': text,
        'x-forwarded-host': text,
        'x-forwarded-proto': text,
        origin: text,
        host,
      });
      assert.ok(isAddress(viewerAddress(ctx, trusted)));
      assert.equal(typeof cameByHttps(ctx, trusted), 'boolean');
      assert.equal(typeof isOwnPage(ctx, hosts), 'boolean');
      assert.equal(typeof isNavigation(ctx), 'boolean');
      assert.equal(typeof hosts.isOwn(host), 'boolean');
      hiddenNameOf(ctx);
    }
  },
};

const addresses: Target = {
  name: 'addresses',
  seeds: [
    '10.0.0.3:8080',
    '[fd00::1]:8001',
    'pubsub-1:8001',
    '10.0.0.0/8,::1',
    '::ffff:169.254.169.254',
  ],
  tokens: ['[', ']', ':', '::', '::ffff:', '.', '/', ',', '%eth0', '0x7f', '017', '65535', '99999'],
  check: (input) => {
    const text = input.toString('latin1');
    const id = attempt(() => parseServerId(text), isError);
    if (id !== undefined) assert.equal(parseServerId(id), id);
    attempt(() => parseNetworks(text), isError);
    const normal = normalizeAddress(text);
    assert.equal(normalizeAddress(normal), normal);
    attempt(() => normalizeHost(text), isError);
    // No spelling of an address gets around a network that does not have it.
    if (usualNetworks.includes(text)) assert.ok(isAddress(text) && !isLinkLocal(normal));
    assert.equal(typeof isLoopback(text), 'boolean');
    assert.equal(typeof subscriberOf(text), 'string');
  },
};

const source = new FakeSource();
const feed = new Feed(source, { run: 'run', frameIntervalMs: 60_000 });
/** What was fed is shown: it is to be nothing but the numbers of one activation. */
source.set('a', 1);
feed.publish();

const eventIds: Target = {
  name: 'eventIds',
  seeds: ['run.1-1', 'run.0-0', 'run.1-', 'other.1-1'],
  tokens: ['run.', '1', '-', '.', '99999999999999999999', '\x00'],
  check: (input) => {
    const viewer = new FakeViewer();
    feed.add(viewer.viewer, 'changes', input.toString('latin1'));
    feed.remove(viewer.viewer);
    for (const [event] of viewer.take())
      assert.ok(event !== undefined && ['snapshot', 'changes', 'servers'].includes(event));
  },
};

export const targets: readonly Target[] = [
  snapshots,
  deltas,
  content,
  updates,
  awareness,
  names,
  cursors,
  secrets,
  headers,
  addresses,
  eventIds,
];

/** What the targets hold for their whole time. */
export const closeTargets = () => feed.close();
