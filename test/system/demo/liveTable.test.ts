import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Doubts, type Truth } from '../../../server/demo/doubts.js';
import {
  displayName,
  LiveTable,
  renderTable,
  type TableModel,
} from '../../../server/demo/liveTable.js';
import {
  applyEvent,
  applyServerList,
  createView,
  followService,
} from '../../../server/demo/serviceFeed.js';
import { eventually } from '../../support/eventually.js';
import { owns } from './support.js';

const a = '127.0.0.1:1';
const b = '127.0.0.1:2';
const heardAt = '2025-01-01T00:00:00.000Z';
const nowMs = Date.parse(heardAt) + 1_500;
const snapshot = {
  version: 1,
  state: 'active',
  complete: true,
  rooms: { r: 3, 'a%20b': 1 },
  servers: [
    { id: b, state: 'live', lastHeardAt: heardAt, rooms: 1, connections: 2 },
    { id: a, state: 'live', lastHeardAt: null, rooms: 2, connections: 2 },
  ],
};
const truth: Truth = new Map([
  [a, { r: 1, 'a%20b': 1 }],
  [b, { r: 2 }],
]);

function viewOf(...events: [name: string, data: unknown][]) {
  const view = createView();
  view.isConnected = true;
  for (const [name, data] of events) applyEvent(view, name, JSON.stringify(data));
  return view;
}

function model(changed: Partial<TableModel> = {}): TableModel {
  return {
    url: 'http://127.0.0.1:8000',
    nowMs,
    view: viewOf(['snapshot', snapshot]),
    truth,
    doubted: new Set(),
    news: ['12:00:00  something happened'],
    maxRooms: 10,
    ...changed,
  };
}

/** The cells of the row that begins with `first`. */
function row(text: string, first: string): string[] | undefined {
  return text
    .split('\n')
    .map((line) => line.split('│').map((cell) => cell.trim()))
    .find((cells) => cells[1] === first)
    ?.slice(2, -1);
}

describe('the view of the service', () => {
  test('applies absolute counts, and 0 as removal', () => {
    const view = viewOf(
      ['snapshot', snapshot],
      ['changes', { version: 2, rooms: { r: 0, new: 5, constructor: 1 }, complete: false }],
    );
    expect([...view.rooms]).toEqual([
      ['a%20b', 1],
      ['new', 5],
      ['constructor', 1],
    ]);
    expect([view.state, view.isComplete]).toEqual(['active', false]);
  });

  test('applies changed servers, and removes those that are gone', () => {
    const view = viewOf(
      ['snapshot', snapshot],
      [
        'servers',
        {
          version: 2,
          servers: [
            { id: a, state: 'gone' },
            { id: b, state: 'stale' },
          ],
          state: 'deactivating',
        },
      ],
    );
    expect([...view.servers.keys()]).toEqual([b]);
    expect(view.servers.get(b)).toMatchObject({ state: 'stale', connections: 2 });
    expect(view.state).toBe('deactivating');
  });

  test('forgets everything at a new snapshot', () => {
    const empty = { version: 1, state: 'active', complete: true, rooms: {}, servers: [] };
    const view = viewOf(['snapshot', snapshot], ['snapshot', empty]);
    expect([view.rooms.size, view.servers.size]).toEqual([0, 0]);
  });

  test('counts the room __proto__', () => {
    const view = createView();
    applyEvent(view, 'changes', '{"version":1,"rooms":{"__proto__":2}}');
    expect([...view.rooms]).toEqual([['__proto__', 2]]);
  });

  test('updates the numbers of known servers from the list of servers', () => {
    const view = viewOf(['snapshot', snapshot]);
    applyServerList(view, [
      { id: a, state: 'live', lastHeardAt: heardAt, connections: 9 },
      { id: 'unknown:1', state: 'live' },
    ]);
    expect(view.servers.get(a)).toMatchObject({
      connections: 9,
      lastHeardAtMs: Date.parse(heardAt),
    });
    expect(view.servers.size).toBe(2);
  });
});

describe('renderTable', () => {
  test('shows rooms × servers with their totals', () => {
    const text = renderTable(model());
    expect(row(text, 'room')).toEqual([':1', ':2', 'service says']);
    expect(row(text, 'r')).toEqual(['1', '2', '3']);
    expect(row(text, 'a b')).toEqual(['1', '', '1']);
    expect(row(text, 'all rooms')).toEqual(['2', '2', '4']);
  });

  test('shows servers, state, completeness and events', () => {
    const text = renderTable(model({ nameOf: (id) => (id === b ? 'own-1' : '') }));
    expect(row(text, b)).toEqual(['own-1', 'live', '1', '2', '1.5 s ago']);
    expect(row(text, a)).toEqual(['', 'live', '2', '2', 'never']);
    expect(text).toContain('http://127.0.0.1:8000   active, complete: 4 connections in 2 rooms');
    expect(text).toContain('something happened');
    expect(text).toContain('curl -N http://127.0.0.1:8000/api/events');
  });

  test('shows the busiest rooms and sums up the rest', () => {
    const text = renderTable(model({ maxRooms: 1 }));
    expect(row(text, 'r')).toBeDefined();
    expect(row(text, 'and 1 more')).toEqual(['', '', '1']);
  });

  test('marks a room that differs, even one that the service does not show', () => {
    const text = renderTable(model({ doubted: new Set(['r', 'hidden']) }));
    expect(row(text, 'r')).toEqual(['1', '2', '≠ 3!  3']);
    expect(row(text, 'hidden')).toEqual(['', '', '≠ 0!  0']);
    expect(text).toContain('2 rooms differ');
  });

  test('shows a server that does not answer with question marks', () => {
    const text = renderTable(
      model({
        truth: new Map([
          [a, { r: 1 }],
          [b, undefined],
        ]),
      }),
    );
    expect(row(text, 'r')).toEqual(['1', '?', '3']);
  });

  test('shows a line about instances, and that numbers are the last ones between two leaders', () => {
    const lost = { state: 'active', complete: false, reason: 'leader_lost', term: 7, ageMs: 900 };
    const view = viewOf(['snapshot', snapshot], ['status', lost]);
    const lines = renderTable(model({ view, status: 'instance 2 LEADS' })).split('\n');
    expect(lines[0]).toContain('incomplete (the last numbers): 4 connections');
    expect(lines[2]).toBe('instance 2 LEADS');
  });

  test('tells when the service is not connected', () => {
    expect(renderTable(model({ view: createView() }))).toContain('not connected to the service');
  });

  test.each([
    ['a%20b', 'a b'],
    ['100%', '100%'],
    ['%F0%9F%98%80', '😀'],
    ['\x1b[2Jgone', '[2Jgone'],
    ['%1b%5B2J%07%C2%9B', '[2J'],
    ['%E2%80%AEabc%0A', 'abc'],
    ['', '(no name)'],
    ['x'.repeat(2_000), `${'x'.repeat(27)}…`],
  ])('shows a room so that it cannot move the cursor (case %#)', (room, shown) => {
    expect(displayName(room)).toBe(shown);
    const text = renderTable(model({ view: viewOf(['changes', { rooms: { [room]: 1 } }]) }));
    expect(row(text, shown)).toBeDefined();
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('doubts', () => {
  const wrong = () => viewOf(['snapshot', { ...snapshot, rooms: { r: 4, 'a%20b': 1 } }]);

  test('appear when a count has been wrong for too long, and disappear when it is right', () => {
    const doubts = new Doubts({ afterMs: 3_000 });
    expect([...doubts.compare(wrong(), truth, 0)]).toEqual([]);
    expect([...doubts.compare(wrong(), truth, 3_000)]).toEqual([]);
    expect([...doubts.compare(wrong(), truth, 3_001)]).toEqual(['r']);
    expect([...doubts.compare(viewOf(['snapshot', snapshot]), truth, 3_002)]).toEqual([]);
    expect([...doubts.compare(wrong(), truth, 6_500)]).toEqual([]);
  });

  test('appear for a room that only the servers know', () => {
    const doubts = new Doubts({ afterMs: 0 });
    const more = new Map([...truth, [b, { r: 2, other: 1 }]]);
    doubts.compare(viewOf(['snapshot', snapshot]), more, 0);
    expect([...doubts.compare(viewOf(['snapshot', snapshot]), more, 1)]).toEqual(['other']);
  });

  test('wait while a server is not live, does not answer, or still has old counts', () => {
    const doubts = new Doubts({ afterMs: 0 });
    const stale = wrong();
    applyEvent(stale, 'servers', JSON.stringify({ servers: [{ id: a, state: 'stale' }] }));
    for (const [view, reported] of [
      [stale, truth],
      [wrong(), new Map([...truth, [b, undefined]])],
      [wrong(), new Map([[a, { r: 1 }]])],
    ] as const) {
      doubts.compare(view, reported, 0);
      expect([...doubts.compare(view, reported, 10)]).toEqual([]);
    }
  });

  test('wait between two leaders, while the last numbers are shown', () => {
    const doubts = new Doubts({ afterMs: 0 });
    const view = wrong();
    applyEvent(view, 'status', '{"complete":false,"reason":"leader_lost"}');
    doubts.compare(view, truth, 0);
    expect([...doubts.compare(view, truth, 1)]).toEqual([]);
    applyEvent(view, 'status', '{"complete":true,"reason":null}');
    doubts.compare(view, truth, 2);
    expect([...doubts.compare(view, truth, 3)]).toEqual(['r']);
  });

  test('do not wait for a server that is unreachable and not running', () => {
    const doubts = new Doubts({ afterMs: 0 });
    const view = wrong();
    applyEvent(view, 'servers', JSON.stringify({ servers: [{ id: b, state: 'unreachable' }] }));
    const reported = new Map([[a, { r: 1, 'a%20b': 1 }]]);
    doubts.compare(view, reported, 0);
    expect([...doubts.compare(view, reported, 1)]).toEqual(['r']);
  });
});

test('the live table draws what a service streams, until it is stopped', async () => {
  const asked: string[] = [];
  const service = http.createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/api/servers') {
      response.end(
        JSON.stringify([{ id: a, state: 'live', lastHeardAt: heardAt, connections: 77 }]),
      );
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(`event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`);
    response.write('event: changes\ndata: {"version":2,"rooms":{"r":6}}\n\n');
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  owns(service, () => {
    service.closeAllConnections();
    return new Promise((resolve) => service.close(resolve));
  });
  let text = '';
  const write = (part: string) => {
    text = part;
    return true;
  };
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const table = owns(
    new LiveTable({ url, truth: async () => truth, screen: { write }, everyMs: 5 }),
    (it) => it.stop(),
  );
  table.say('news');
  await eventually(() => expect(row(text, 'r')).toEqual(['1', '2', '6']));
  await eventually(() => expect(row(text, a)?.slice(1, 4)).toEqual(['live', '2', '77']));
  expect(text).toContain('news');
  expect(asked[0]).toBe('/api/events?stream=changes');
  expect(table.doubted.size).toBe(0);
  table.stop();
  text = '';
  service.closeAllConnections();
  await new Promise((resolve) => setImmediate(resolve));
  expect(text).toBe('');
});

test('a feed goes on after an error status, and resumes after a cut', async () => {
  const lastIds: unknown[] = [];
  const service = http.createServer((request, response) => {
    if (request.url === '/api/servers') return void response.writeHead(503).end();
    lastIds.push(request.headers['last-event-id']);
    if (lastIds.length === 1) return void response.writeHead(503).end();
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(`retry: 5\nevent: snapshot\nid: seven\ndata: ${JSON.stringify(snapshot)}\n\n`);
    if (lastIds.length === 2) setTimeout(() => response.destroy(), 50);
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  owns(service, () => {
    service.closeAllConnections();
    return new Promise((resolve) => service.close(resolve));
  });
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const feed = owns(followService(url), (it) => it.close());
  await eventually(() => expect(lastIds).toEqual([undefined, undefined, 'seven']));
  await eventually(() => expect(feed.view.isConnected).toBe(true));
});
