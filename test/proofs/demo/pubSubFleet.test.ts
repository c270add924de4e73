import { expect, test } from '@jest/globals';
import { openConnection } from '../../../server/demo/openConnection.js';
import { startServerProcess } from '../../../server/demo/pubSubFleet.js';
import { eventually } from '../../support/eventually.js';
import { activate, owns, send, startFakeDashboard } from '../../system/demo/support.js';

async function start(options: Parameters<typeof startServerProcess>[0] = {}) {
  return owns(await startServerProcess(options), (it) => it.kill());
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('a server process listens, queries the dashboard, and reports its connections', async () => {
  const dashboard = await startFakeDashboard();
  const server = await start({ dashboardUrl: dashboard.url });
  expect(server.id).toBe(`127.0.0.1:${server.port}`);
  await eventually(() =>
    expect(dashboard.received[0]?.url).toMatch(`/api/events/clients?port=${server.port}&`),
  );
  expect(await server.connections()).toEqual({});
  for (const room of ['__proto__', 'a%20b', 'a%20b']) {
    owns(await openConnection(server.url, room), (it) => it.terminate());
  }
  const truth = await server.connections();
  expect(Object.entries(truth)).toEqual([
    ['__proto__', 1],
    ['a%20b', 2],
  ]);
  expect(truth.constructor).toBeUndefined();
});

test('two server processes are independent and are killed separately', async () => {
  const [first, second] = await Promise.all([start(), start()]);
  owns(await openConnection(first.url, 'r'), (it) => it.terminate());
  expect(await second.connections()).toEqual({});
  expect(await first.kill()).toEqual({ code: null, signal: 'SIGKILL' });
  expect([isAlive(first.pid), isAlive(second.pid)]).toEqual([false, true]);
  await expect(first.connections()).rejects.toThrow('has exited');
  const again = await start({ port: first.port });
  expect(again.id).toBe(first.id);
});

test('a killed server posts no delta, and a stopped one posts its last deltas', async () => {
  const dashboard = await startFakeDashboard();
  for (const [end, deltas] of [
    ['kill', 1],
    ['stop', 2],
  ] as const) {
    dashboard.received.length = 0;
    const server = await start();
    await activate(server.port, { active: true, eventsUrl: `${dashboard.url}/api/events` });
    owns(await openConnection(server.url, 'r'), (it) => it.terminate());
    await eventually(() => expect(dashboard.deltas()).toHaveLength(1));
    await server[end]();
    expect(isAlive(server.pid)).toBe(false);
    expect(dashboard.deltas()).toHaveLength(deltas);
  }
  expect(dashboard.deltas()[1]).toEqual({ room: 'r', add: -1 });
});

test('a suspended server answers nothing until it is resumed', async () => {
  const server = await start({ answerWithinMs: 200 });
  server.suspend();
  await expect(server.connections()).rejects.toThrow('did not answer within 200 ms');
  server.resume();
  await eventually(async () => expect(await server.connections()).toEqual({}));
  expect((await send(server.port, 'GET', '/health')).text).toBe('okay');
});

test('a suspended server can be stopped', async () => {
  const server = await start();
  server.suspend();
  await server.stop();
  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test('a server process exits when its parent is gone', async () => {
  const server = await start();
  // The kernel closes the channel when a parent dies.
  server.disconnect();
  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test('a server that cannot listen reports the reason', async () => {
  const { port } = await start();
  await expect(startServerProcess({ port })).rejects.toThrow(/did not start: .*EADDRINUSE/);
});

test('a server with invalid options reports the reason', async () => {
  await expect(startServerProcess({ dashboardUrl: 'nowhere' })).rejects.toThrow('dashboardUrl');
});
