import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { promisify } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import { yesterdayAt } from '../../../../server/http/routes/connections.js';
import { type Store, type StoredConnection, StoreError } from '../../../../server/store/store.js';
import { eventually } from '../../../support/eventually.js';
import { connectTo, startReal } from '../../../support/fleet.js';
import { get, sharedStore, startRest, type TestTables } from '../../../support/restApi.js';
import { owns } from '../../../support/stage.js';

const { tables } = sharedStore();
const latest = '/api/connections/latest';
const since = (hour: number | string) => `/api/connections/since_yesterday/${hour}`;
const minuteMs = 60_000;
/** Rows of a page of 0.4 MB: more than sockets hold, and three pages are more than is kept. */
const overBuffers = 5_000;

/** A store whose connections are these pages, newest first and since any time alike. */
async function storeOf(pages: () => AsyncIterable<StoredConnection[]>): Promise<{ store: Store }> {
  const { store } = await tables();
  const connections = { put: async () => {}, since: pages, newestFirst: pages };
  return { store: { ...store, connections } };
}

/** A few at a time: a busy machine would let more of them wait for too long. */
async function putAll({ store }: TestTables, rows: readonly StoredConnection[]): Promise<void> {
  const left = rows.values();
  const lane = async () => {
    for (const connection of left) await store.connections.put(connection);
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

const row = (id: number): StoredConnection => ({
  id: `c${id}`,
  roomName: `room-${id}`,
  timestamp: '2026-01-02T03:04:05.678Z',
});

describe('the latest connections', () => {
  test('are the newest of each room, newest first', async () => {
    const own = await tables();
    const now = Date.now();
    // Over the borders of hours, and of the store's pages of 500.
    const rows = Array.from({ length: 600 }, (_, i) => ({
      id: `c${i}`,
      roomName: `room-${i % 7}`,
      timestamp: new Date(now - i * minuteMs).toISOString(),
    }));
    const past = {
      id: 'old',
      roomName: 'old',
      timestamp: new Date(now - 49 * 60 * minuteMs).toISOString(),
    };
    await putAll(own, [...rows, past]);
    const service = await startRest(own);
    const answer = await get(service, latest);
    expect(answer.json()).toEqual(rows.slice(0, 7));
    expect(answer.headers).toMatchObject({ age: '0', 'content-type': /^application\/json/ });
    expect(answer.headers).not.toHaveProperty('x-stale');
  });

  test('are written by the pub-sub servers, by raw names', async () => {
    const own = await tables();
    const server = await startReal({ store: own.writer });
    const service = await startRest(own, { servers: [server] });
    const rooms = ['a%20b', '%F0%9F%98%80', 'a/b', '100%', 'constructor', '__proto__', 'a"b'];
    for (const room of rooms) for (let i = 0; i < 2; i += 1) await connectTo(server, room);
    await eventually(async () => {
      const shown = (await get(service, latest)).json<StoredConnection[]>();
      expect(shown.map(({ roomName }) => roomName).sort()).toEqual(rooms.toSorted());
      const all = (await get(service, since(0))).json<StoredConnection[]>();
      expect(all).toHaveLength(2 * rooms.length);
      expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    });
  });

  test('are an empty list if there are none', async () => {
    const service = await startRest(await tables());
    for (const path of [latest, since(12)]) expect((await get(service, path)).json()).toEqual([]);
  });
});

describe('the connections since yesterday', () => {
  test.each([0, 9, 23])('begin at hour %s of local time, oldest first', async (hour) => {
    const own = await tables();
    const begin = yesterdayAt(String(hour)).getTime();
    const now = Date.now();
    const times = [begin - 1, begin, begin + minuteMs, (begin + now) / 2, now - 1];
    const rows = times.map((time, i) => ({
      id: `c${i}`,
      roomName: 'room',
      timestamp: new Date(time).toISOString(),
    }));
    await putAll(own, rows);
    const service = await startRest(own);
    expect((await get(service, since(hour))).json()).toEqual(rows.slice(1));
  });

  test('can be those of one room', async () => {
    const own = await tables();
    const timestamp = new Date().toISOString();
    const rows = ['a%20b', 'a b', 'a%20b', ''].map((roomName, i) => ({
      id: `c${i}`,
      roomName,
      timestamp,
    }));
    await putAll(own, rows);
    const service = await startRest(own);
    const of = async (path: string) => (await get(service, path)).json<StoredConnection[]>();
    const ids = (found: StoredConnection[]) => found.map(({ id }) => id).sort();
    expect(ids(await of(`${since(0)}?room=a%2520b`))).toEqual(['c0', 'c2']);
    expect(ids(await of(`${since(0)}?room=none`))).toEqual([]);
    expect(await of(`${latest}?room=a%20b`)).toEqual([rows[1]]);
    expect((await get(service, `${latest}?room=a&room=b`)).status).toBe(400);
  });

  test('use local time, also across daylight saving changes', async () => {
    const module = new URL('../../../../server/http/routes/connections.ts', import.meta.url);
    const at = [
      ['2026-03-30T12:00:00Z', '5'],
      ['2026-01-01T00:30:00Z', '0'],
      ['2026-11-02T12:00:00Z', '23'],
    ];
    const code = `const { yesterdayAt } = await import('${module}');
      console.log(JSON.stringify(${JSON.stringify(at)}.map(([now, hour]) => yesterdayAt(hour, new Date(now)))))`;
    const run = async (TZ: string) => {
      const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', code];
      const env = { ...process.env, NODE_OPTIONS: '', TZ };
      return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout);
    };
    expect(await run('UTC')).toEqual([
      '2026-03-29T05:00:00.000Z',
      '2025-12-31T00:00:00.000Z',
      '2026-11-01T23:00:00.000Z',
    ]);
    expect(await run('Asia/Kolkata')).toEqual([
      '2026-03-28T23:30:00.000Z',
      '2025-12-30T18:30:00.000Z',
      '2026-11-01T17:30:00.000Z',
    ]);
    expect(await run('America/New_York')).toEqual([
      '2026-03-29T09:00:00.000Z',
      '2025-12-30T05:00:00.000Z',
      '2026-11-02T04:00:00.000Z',
    ]);
  });

  test('are refused for an invalid hour', async () => {
    const service = await startRest(await tables());
    for (const hour of [
      '24',
      '-1',
      '1.5',
      'noon',
      '012',
      '1e1',
      '%31%32%33',
      '%',
      ' '.replace(' ', '%20'),
    ])
      expect([hour, await get(service, since(hour))]).toEqual([
        hour,
        expect.objectContaining({ status: 400, code: 'invalid_parameter' }),
      ]);
    expect(await get(service, since(''))).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('many connections', () => {
  test('are read from the store only as fast as the client reads', async () => {
    const page = Array.from({ length: 10_000 }, (_, i) => row(i));
    const pages = 60;
    let pulled = 0;
    const service = await startRest(
      await storeOf(async function* () {
        for (pulled = 1; pulled <= pages; pulled += 1) yield page;
      }),
    );
    const { hostname, port } = new URL(service.url);
    const outgoing = request({ hostname, port, path: since(0), agent: false }).end();
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    // Nobody reads: when it has filled the buffers on the way, the service waits.
    let before = -1;
    await eventually(async () => {
      const isStill = pulled === before;
      before = pulled;
      for (let i = 0; i < 20; i += 1) await get(service, '/health');
      expect(isStill && pulled === before).toBe(true);
    });
    expect(pulled).toBeLessThan(pages / 2);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const rows = JSON.parse(Buffer.concat(chunks).toString()) as StoredConnection[];
    expect(rows).toHaveLength(pages * page.length);
    expect(rows.at(-1)).toEqual(page.at(-1));
  });

  test('are no longer read after the client disconnects', async () => {
    let isOver = false;
    const service = await startRest(
      await storeOf(async function* () {
        try {
          for (;;) yield Array.from({ length: 1000 }, (_, i) => row(i));
        } finally {
          isOver = true;
        }
      }),
    );
    const { hostname, port } = new URL(service.url);
    const outgoing = request({ hostname, port, path: since(0), agent: false }).end();
    outgoing.on('error', () => {});
    await once(outgoing, 'response');
    outgoing.destroy();
    await eventually(() => expect(isOver).toBe(true));
  });
});

describe('when the store fails', () => {
  /** Fails from the page of this number on. */
  async function startFailing() {
    const state = { failsAt: Number.POSITIVE_INFINITY, rows: 3 };
    const store = await storeOf(async function* () {
      for (let page = 1; page <= 3; page += 1) {
        if (page >= state.failsAt) throw new StoreError('as scripted');
        yield Array.from({ length: state.rows }, (_, i) => row(page * 100_000 + i));
      }
    });
    return { state, service: await startRest(store) };
  }

  test.each([latest, since(3)])(
    'at once, %s repeats its last answer, with its age',
    async (path) => {
      const { state, service } = await startFailing();
      state.failsAt = 1;
      const none = await get(service, path);
      expect(none).toMatchObject({ status: 503, code: 'store_unavailable' });
      expect(none.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      state.failsAt = Number.POSITIVE_INFINITY;
      const good = await get(service, path);
      expect(good.json()).toHaveLength(9);
      state.failsAt = 1;
      const now = performance.now.bind(performance);
      const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + 65_000);
      owns(clock, () => clock.mockRestore());
      const stale = await get(service, path);
      clock.mockRestore();
      expect(stale.json()).toEqual(good.json());
      expect(stale.headers).toMatchObject({
        'x-stale': 'true',
        'content-type': /^application\/json/,
      });
      expect(Number(stale.headers.age)).toBeGreaterThanOrEqual(65);
    },
  );

  test.each([2, 3])(
    'at page %s, the answer is cut off: it is never a short array',
    async (failsAt) => {
      for (const rows of [3, overBuffers]) {
        const { state, service } = await startFailing();
        Object.assign(state, { failsAt, rows });
        for (const path of [latest, since(3)]) await expect(get(service, path)).rejects.toThrow();
        // What was cut off is not kept as what was known last.
        state.failsAt = 1;
        expect(await get(service, latest)).toMatchObject({ status: 503 });
        state.failsAt = Number.POSITIVE_INFINITY;
        expect((await get(service, latest)).json()).toHaveLength(3 * rows);
      }
    },
  );

  test('answers over the size limit are not kept', async () => {
    const { state, service } = await startFailing();
    state.rows = overBuffers;
    expect((await get(service, latest)).json()).toHaveLength(3 * overBuffers);
    state.failsAt = 1;
    expect(await get(service, latest)).toMatchObject({ status: 503, code: 'store_unavailable' });
  });
});

test('invalid connections are left out', async () => {
  const own = await tables();
  const at = new Date(Date.now() - 1000).toISOString();
  const hour = { S: at.slice(0, 13) };
  await own.put('connections', { hour, at: { S: `${at}#good` }, roomName: { S: 'good' } });
  await own.put('connections', { hour, at: { S: `${at}#half` } });
  await own.put('connections', { hour, at: { S: `${at}#typed` }, roomName: { N: '1' } });
  await own.put('connections', { hour, at: { S: `${at.slice(0, 13)}x` }, roomName: { S: 'bad' } });
  const service = await startRest(own);
  const good = [{ id: 'good', roomName: 'good', timestamp: at }];
  expect((await get(service, latest)).json()).toEqual(good);
  expect((await get(service, since(0))).json()).toEqual(good);
});
