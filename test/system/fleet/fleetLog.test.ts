import { expect, test } from '@jest/globals';
import { readConfig } from '../../../server/config/config.js';
import { createLog } from '../../../server/log.js';
import { type Service, startService } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';
import { owns } from '../../support/stage.js';

const harness = useHarness();

/** A service and the lines of its log about the fleet. */
async function startLogged(env: Record<string, string>) {
  const all: Record<string, unknown>[] = [];
  const log = createLog('info', { write: (line: string) => void all.push(JSON.parse(line)) });
  const config = readConfig({
    PORT: '0',
    LINGER_MS: '0',
    RESYNC_INTERVAL_MS: '60000',
    PROBE_INTERVAL_MS: '60000',
    REQUEST_TIMEOUT_MS: '10000',
    ...env,
  });
  const service = owns(
    await startService(config, log, { openStore: async () => emptyStore }),
    (it) => it.stop(),
  );
  const of = (msg: string) => all.filter((line) => line.msg === msg);
  return {
    service,
    activations: () => of('activation changed'),
    servers: () => of('pub-sub server changed'),
  };
}

const isSettled = ({ activation: actor }: Service, state: 'active' | 'inactive') => {
  const { value } = actor.getSnapshot();
  expect(typeof value === 'string' ? value : Object.keys(value)[0]).toBe(state);
};

/** A viewer comes, sees every server live, and leaves. */
async function visit(service: Service): Promise<void> {
  const viewer = await harness.stream(service, { path: '/api/events?stream=changes' });
  await eventually(() => expect(viewer.seen()).toMatchObject({ state: 'active', complete: true }));
  await viewer.close();
  await eventually(() => isSettled(service, 'inactive'));
}

test('an activation is one line in the log, however many servers take part', async () => {
  const servers = await Promise.all(Array.from({ length: 12 }, () => harness.server()));
  const PUBSUB_SERVERS = servers.map(({ id }) => id).join(',');
  const { service, activations, servers: told } = await startLogged({ PUBSUB_SERVERS });
  for (let i = 0; i < 3; i += 1) await visit(service);
  const line = { level: 30, state: 'active', servers: 12, viewers: 1 };
  expect(activations()).toMatchObject([line, line, line]);
  expect(told()).toEqual([]);
});

test('a server is logged once when it fails and once when it recovers, across activations', async () => {
  const server = await harness.server();
  const { service, servers } = await startLogged({
    PUBSUB_SERVERS: server.id,
    PROBE_INTERVAL_MS: '100',
    // A busy machine must not make it unreachable as well.
    REQUEST_TIMEOUT_MS: '5000',
  });
  await visit(service);
  server.respond({ kind: 'status' });
  server.respond({ kind: 'status', to: 'health' });
  const viewer = await harness.stream(service);
  await eventually(() =>
    expect(servers().at(-1)).toMatchObject({
      level: 40,
      server: server.id,
      state: 'unreachable',
      lastFailure: expect.any(String),
    }),
  );
  await viewer.close();
  server.respond({ kind: 'normal' });
  server.respond({ kind: 'normal', to: 'health' });
  server.release();
  await eventually(() => isSettled(service, 'inactive'));
  await visit(service);
  await visit(service);
  const told = servers().filter(({ state }) => state !== 'stale');
  // A busy machine may make it stale, and live again, any number of times.
  expect(told.map(({ state }) => state)).toEqual(expect.arrayContaining(['unreachable', 'live']));
  expect(told.filter(({ state }) => state === 'unreachable')).toHaveLength(1);
  expect(told.at(-1)).toMatchObject({ level: 30, state: 'live' });
});

test('a server that is not configured is logged when it is found', async () => {
  const server = await harness.server();
  const { service, servers } = await startLogged({});
  await server.askAtStartup(service.url, { port: server.port });
  await visit(service);
  await visit(service);
  expect(servers()).toMatchObject([{ level: 30, server: server.id, isNew: true }]);
});
