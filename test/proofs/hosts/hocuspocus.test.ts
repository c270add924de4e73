import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { startRedis } from '../../support/redisServer.js';
import { getJson, owns } from '../../support/stage.js';
import { framesOf, peopleOf } from '../../system/rooms/support/awareness.js';
import { documentOf, statusOf, watchRoom } from '../../system/rooms/support/rooms.js';
import { type Counts, startComparison } from './comparison.js';
import { HocuspocusClient } from './hocuspocusClient.js';
import type { HocuspocusHostOptions, HocuspocusReady } from './hocuspocusHost.js';
import { runHocuspocus } from './hocuspocusRun.js';
import { startHost } from './hostProcess.js';
import { installHost } from './install.js';

const operations = 300;
/** What a user writes in TypeScript. The last line shows that the types of Hocuspocus are there. */
const typed = `
import { Hocuspocus } from '@hocuspocus/server';
import * as Y from 'yjs';
import { Dashboard } from '../../../../../server/agent/hocuspocus.js';
const encodeState = Y.encodeStateAsUpdate;
new Hocuspocus({ extensions: [new Dashboard({ url: 'http://dashboard:8000', encodeState })] });
// @ts-expect-error
new Hocuspocus({ extensions: [{ onListen: 5 }] });
`;

describe.each([2, 3, 4])('Hocuspocus %s', (version) => {
  const folder = `hocuspocus-${version}`;

  async function start(url: string, options: Partial<HocuspocusHostOptions> = {}) {
    await installHost(folder);
    const { dashboard, ...others } = options;
    const host = await startHost<HocuspocusReady>('hocuspocusHost', {
      folder,
      dashboard: { url, ...dashboard },
      ...others,
    });
    return owns(host, () => host.kill());
  }

  /** A server and the service, which counts it. */
  async function startBoth(options: Partial<HocuspocusHostOptions> = {}) {
    const comparison = owns(await startComparison(), (it) => it.end());
    const host = await start(comparison.url, options);
    const { id } = await comparison.untilLive();
    const open = async (room: string, port = host.ready.port) => {
      const client = owns(await HocuspocusClient.open(port), (it) => it.terminate());
      expect(await client.join(room)).toBe('joined');
      return client;
    };
    const counts = () => host.ask<Counts>('counts');
    const untilEqual = async () => expect(await comparison.difference(counts)).toBeUndefined();
    const untilShown = (rooms: Record<string, number>) =>
      eventually(() => expect(comparison.shown()).toEqual(rooms));
    return { comparison, host, id, open, untilEqual, untilShown };
  }

  test('takes the extension by its types', async () => {
    await installHost(folder);
    const module = fileURLToPath(new URL(`${folder}/node_modules/.types.mts`, import.meta.url));
    await writeFile(module, typed);
    const tsc = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
    const options =
      '--noEmit --strict --skipLibCheck --module nodenext --target es2023 --types node';
    const { stdout } = await promisify(execFile)(process.execPath, [
      tsc,
      '--ignoreConfig',
      ...options.split(' '),
      module,
    ]);
    expect(stdout).toBe('');
  });

  test(`is counted exactly through ${operations} random operations, faults, crashes and restarts`, async () => {
    const figures = await runHocuspocus(version, { operations, seed: version });
    expect(figures).toMatchObject({
      operations,
      differences: [],
      snapshots: [],
      rejections: [],
    });
    expect(figures.checks).toBeGreaterThan(10);
    expect(figures.kinds).toMatchObject({
      viewersAway: expect.any(Number),
      viewersChanged: expect.any(Number),
      agentRestarted: expect.any(Number),
      hostCrashed: expect.any(Number),
      serviceCrashed: expect.any(Number),
    });
  });

  test('counts two documents on one socket as two connections', async () => {
    const { open, untilShown } = await startBoth();
    const client = await open('a');
    await client.join('b c');
    await untilShown({ a: 1, 'b c': 1 });
    client.leave('a');
    await untilShown({ 'b c': 1 });
    await client.close();
    await untilShown({});
  });

  test('posts the last closings at a signal, before the process ends', async () => {
    const { host, open, untilShown } = await startBoth();
    await open('a');
    await open('b');
    await untilShown({ a: 1, b: 1 });
    host.signal('SIGTERM');
    expect(await host.exited).toEqual({ code: 0, signal: null });
    await untilShown({});
  });

  test('keeps no process alive', async () => {
    const { comparison, host, open, untilShown } = await startBoth();
    const client = await open('a');
    await untilShown({ a: 1 });
    // Encoded by a copy, which has a timer.
    const state = () => host.ask<string | null>('state', 'a');
    expect(await comparison.stateDifference('a', state)).toBeUndefined();
    await client.close();
    await untilShown({});
    await host.ask('destroy');
    host.disconnect();
    expect(await host.exited).toEqual({ code: 0, signal: null });
  });

  test('counts each connection once after another server was started with the same extension', async () => {
    const { host, open, untilShown, untilEqual } = await startBoth();
    const client = await open('a');
    await untilShown({ a: 1 });
    await client.close();
    const port = await host.ask<number>('restart');
    await open('a', port);
    await open('b', port);
    await untilShown({ a: 1, b: 1 });
    await untilEqual();
  });

  test('leaves direct connections out', async () => {
    const { host, open, untilShown } = await startBoth();
    const direct = await host.ask<number>('openDirect', 'a');
    await open('b');
    await untilShown({ b: 1 });
    await host.ask('closeDirect', direct);
    await open('c');
    await untilShown({ b: 1, c: 1 });
  });

  test('counts direct connections with `countDirect`', async () => {
    const { host, open, untilShown } = await startBoth({ dashboard: { countDirect: true } });
    const direct = await host.ask<number>('openDirect', 'a');
    await open('a');
    await untilShown({ a: 2 });
    await host.ask('closeDirect', direct);
    await untilShown({ a: 1 });
  });

  test('counts connections that were there before the extension', async () => {
    const { comparison, host } = await startLate();
    const client = owns(await HocuspocusClient.open(host.ready.port), (it) => it.terminate());
    await client.join('a');
    await host.ask('addLate');
    await comparison.untilLive();
    await eventually(() => expect(comparison.shown()).toEqual({ a: 1 }));
    await client.close();
    await eventually(() => expect(comparison.shown()).toEqual({}));
  });

  async function startLate() {
    const comparison = owns(await startComparison(), (it) => it.end());
    return { comparison, host: await start(comparison.url, { isLate: true }) };
  }

  test('answers the dashboard on a port of its own, and nothing on that of Hocuspocus', async () => {
    const { host, id } = await startBoth();
    const { port, controlPort } = host.ready;
    expect(id).toBe(`127.0.0.1:${controlPort}`);
    expect(controlPort).not.toBe(port);
    expect(await textOf(port, '/own')).toBe('my own');
    const welcome = await textOf(port, '/');
    for (const path of ['/health', '/api/room?name=a', '/api/room?id=a'])
      expect(await textOf(port, path)).toBe(welcome);
    const body = JSON.stringify({ active: true, eventsUrl: 'http://127.0.0.1:9/' });
    expect(await textOf(port, '/api/dashboard', 'PUT', body)).toBe(welcome);
    // Its own port has nothing else.
    expect((await ask(controlPort, '/own')).status).toBe(404);
  });

  test('shares the port of Hocuspocus with `sharePort`, and leaves its other paths alone', async () => {
    const { host, id, open, untilShown } = await startBoth({ dashboard: { sharePort: true } });
    const { port } = host.ready;
    expect(id).toBe(`127.0.0.1:${port}`);
    await open('a');
    await untilShown({ a: 1 });
    expect(await textOf(port, '/own')).toBe('my own');
    expect(await textOf(port, '/health')).toBe(await textOf(port, '/'));
    const { headers } = await ask(port, '/api/room?name=a');
    expect(headers['content-type']).toBe('application/octet-stream');
  });

  test.each(['apart', 'shared'] as const)(
    'reports `new Hocuspocus()` on an HTTP server of its own, with the ports %s',
    async (bare) => {
      const { host, id, open, untilShown } = await startBoth({ bare });
      expect(id === `127.0.0.1:${host.ready.port}`).toBe(bare === 'shared');
      const client = await open('a');
      await untilShown({ a: 1 });
      expect(await textOf(host.ready.port, '/own')).toBe('my own');
      await client.terminate();
      await untilShown({});
    },
  );

  test('gives the document as it is, with its deletions', async () => {
    const { comparison, host } = await startBoth();
    const direct = await host.ask<number>('openDirect', 'd/é');
    await host.ask('fillDirect', direct);
    const state = () => host.ask<string | null>('state', 'd/é');
    expect(await state()).not.toBeNull();
    expect(await comparison.stateDifference('d/é', state)).toBeUndefined();
  });

  test('posts a watched room: its changes, its people, also after it was unloaded', async () => {
    const { comparison, host, untilShown } = await startBoth();
    const viewer = await watchRoom(comparison, 'b c');
    const textIn = () => documentOf(viewer).text?.value;
    const people = () =>
      [...peopleOf(framesOf(viewer)).values()].map(
        ({ state }) => (state as { user: { name: string } } | null)?.user.name,
      );
    for (const [name, words] of [
      ['Ada', 'one '],
      ['Bob', 'two '],
    ] as const) {
      const provider = await host.ask<number>('openProvider', 'b c', name);
      await untilShown({ 'b c': 1 });
      await eventually(() =>
        expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' }),
      );
      await host.ask('editProvider', provider, words);
      await eventually(() => expect(textIn()).toContain(words));
      await eventually(() => expect(people()).toEqual([name]));
      await host.ask('closeProvider', provider);
      await untilShown({});
      await eventually(async () => expect(await host.ask('loaded')).toEqual([]));
    }
  });

  test('with Redis, each server posts what arrived on its own connections', async () => {
    const redis = owns(await startRedis(), (it) => it.stop());
    const { comparison, host } = await startBoth({ redisPort: redis.port });
    const other = await start(comparison.url, { redisPort: redis.port });
    const [here, there] = [
      await host.ask<number>('openProvider', 'a', 'Ada'),
      await other.ask<number>('openProvider', 'a', 'Bob'),
    ];
    await eventually(() => expect(comparison.shown()).toEqual({ a: 2 }));
    const viewer = await watchRoom(comparison, 'a');
    await eventually(() =>
      expect(statusOf(viewer)).toMatchObject({ state: 'live', source: 'posts' }),
    );
    for (let i = 0; i < 5; i += 1) {
      await host.ask('editProvider', here, `here ${i} `);
      await other.ask('editProvider', there, `there ${i} `);
    }
    const words = (place: string) => Array.from({ length: 5 }, (_, i) => `${place} ${i} `);
    await eventually(() => {
      for (const word of [...words('here'), ...words('there')])
        expect(documentOf(viewer).text?.value).toContain(word);
    });
    // Both servers have them by now, and neither has posted those of the other.
    const state = () => other.ask<string | null>('state', 'a');
    expect(await comparison.stateDifference('a', state)).toBeUndefined();
    const log = await getJson<{ entries: unknown[] }>(`${comparison.url}/api/room/log?room=a`);
    expect(log.entries).toHaveLength(10);
  });

  test('says once that it cannot count a version whose connections are no Map', async () => {
    const host = await start('http://127.0.0.1:9', { isUnknown: true });
    for (const room of ['a', 'b']) await host.ask('openDirect', room);
    await eventually(() => expect(host.output()).toContain('is not supported'));
    expect(host.output().match(/is not supported/g)).toHaveLength(1);
    // No counts are shown, rather than wrong ones.
    await eventually(() => expect(ask(host.ready.controlPort, '/health')).rejects.toThrow());
  });

  test(`${version === 2 ? 'does not tell' : 'tells'} which documents could not be stored`, async () => {
    const host = await start('http://127.0.0.1:9');
    const stores = async () => {
      const body = JSON.stringify({ active: false, eventsUrl: 'http://127.0.0.1:9/' });
      const answer = await ask(host.ready.controlPort, '/api/dashboard', 'PUT', body);
      return JSON.parse(String(answer.headers['dashboard-agent'])).stores;
    };
    const direct = await host.ask<number>('openDirect', 'a');
    await host.ask('fault', 'late', 'onStoreDocument', { ms: 0, isThrown: true });
    await host.ask('editDirect', direct, 'one').catch(() => undefined);
    const expected = (failed: number) =>
      version === 2 ? undefined : { pending: expect.any(Number), failed };
    await eventually(async () => expect(await stores()).toEqual(expected(1)));
    await host.ask('editDirect', direct, 'two').catch(() => undefined);
    // After a failure, version 3 never stores the document again.
    const failed = version === 3 ? 1 : 0;
    await eventually(async () => expect(await stores()).toEqual(expected(failed)));
  });
});

/** Not by `fetch`, whose requests look like those of a browser. */
async function ask(port: number, path: string, method = 'GET', body?: string) {
  const headers = { 'Content-Type': 'application/json' };
  const outgoing = request({ port, path, method, headers, agent: false }).end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode, headers: incoming.headers, text: await text(incoming) };
}

const textOf = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).text;
