import { describe, expect, test } from '@jest/globals';
import type { AnyActorRef } from 'xstate';
import type { Service } from '../../../server/service.js';
import { eventually } from '../../support/eventually.js';
import { puts, toldUrl, useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';
import type { ScriptedServer, StartupOptions } from '../../support/scriptedServer.js';
import { startDouble, startStaged } from '../../support/stage.js';

const harness = useHarness();

const shown = async ({ url }: Service) => JSON.parse((await ask(`${url}/api/servers`)).text);
const untilShown = (service: Service, ...servers: object[]) =>
  eventually(async () => expect(await shown(service)).toMatchObject(servers));

/** A server with an agent, in its first run. */
async function startWithAgent(): Promise<ScriptedServer> {
  const server = await harness.server();
  server.agent = { capabilities: ['names'], run: 'first' };
  return server;
}

const renew = (server: ScriptedServer, service: Service, options: StartupOptions = {}) =>
  server.renew(service.url, { port: server.port, run: 'first', ...options });

/** Resolves when the service has done what it does about earlier queries: it does them in order. */
async function untilDone(service: Service): Promise<void> {
  const next = await harness.server();
  await next.askAtStartup(service.url, { port: next.port });
  await eventually(() => expect(puts(next)).toHaveLength(1));
}

/** The states of the actor of a server. */
function statesOf({ activation: actor }: Service, { id }: ScriptedServer) {
  const { children } = actor.getSnapshot() as { children: Record<string, AnyActorRef> };
  return children[`server:${id}`]?.getSnapshot().value;
}

describe('a renewal of a healthy server', () => {
  test('that posts as it should is answered with its own URL and causes no request', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    await harness.watch(service);
    const before = server.requests.length;
    const url = toldUrl(server);
    for (let i = 0; i < 3; i += 1)
      expect(await renew(server, service)).toEqual({ active: true, eventsUrl: url });
    await untilDone(service);
    expect(server.requests.slice(before)).toEqual([]);
    expect(statesOf(service, server)).toMatchObject({ startup: 'idle', evidence: 'none' });
    expect(server.eventsUrl).toBe(url);
  });

  test('that is silent as it should be causes no request', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    const before = server.requests.length;
    for (let i = 0; i < 3; i += 1)
      expect(await renew(server, service)).toMatchObject({ active: false });
    await untilDone(service);
    expect(server.requests.slice(before)).toEqual([]);
    expect(statesOf(service, server)).toMatchObject({ evidence: 'none' });
  });

  test('behind a proxy is known by its URL', async () => {
    const servers = [await startWithAgent(), await startWithAgent()];
    const service = await harness.service();
    await harness.watch(service);
    for (const server of servers) {
      const query = new URLSearchParams({ renewal: 'true', active: 'true' });
      query.set('eventsUrl', toldUrl(server));
      const headers = { Via: '1.1 proxy' };
      const { text } = await ask(`${service.url}/api/events/clients?${query}`, { headers });
      expect(JSON.parse(text)).toEqual({ active: true, eventsUrl: toldUrl(server) });
    }
    await untilDone(service);
    for (const server of servers) expect(puts(server)).toEqual([false, true]);
  });
});

describe('a renewal corrects a server', () => {
  test('that is unknown: a service that lost its memory finds its fleet', async () => {
    const servers = [await startWithAgent(), await startWithAgent()];
    const service = await harness.service({ PUBSUB_SERVERS: '' });
    for (const server of servers) await renew(server, service);
    await untilShown(service, ...servers.map(({ id }) => ({ id, state: 'silent' })));
    for (const server of servers) expect(puts(server)).toEqual([false]);
  });

  test('that is unknown, while somebody watches', async () => {
    const server = await startWithAgent();
    server.rooms.set('r', 2);
    const service = await harness.service({ PUBSUB_SERVERS: '' });
    const stream = await harness.watch(service);
    await renew(server, service);
    await eventually(() => expect(stream.rooms()).toEqual({ r: 2 }));
    expect(server.eventsUrl).toMatch(`${service.url}/api/events?token=`);
  });

  test('that posts to an earlier run of the service', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    const stream = await harness.watch(service);
    server.eventsUrl = `${service.url}/api/events?token=of.another`;
    server.rooms.set('r', 1);
    await renew(server, service);
    await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
    expect(puts(server)).toEqual([false, true, true]);
  });

  test('that posts to a URL that a newer activation replaced', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    await harness.watch(service);
    const old = toldUrl(server);
    await server.askAtStartup(service.url, { port: server.port });
    await eventually(() => expect(puts(server)).toEqual([false, true, true]));
    await eventually(() => expect(statesOf(service, server)).toMatchObject({ request: 'resting' }));
    server.eventsUrl = old;
    await renew(server, service);
    await eventually(() => expect(toldUrl(server)).not.toBe(old));
  });

  test('that has fallen silent while it should post: the answer has it post at once', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    const stream = await harness.watch(service);
    server.active = false;
    server.rooms.set('r', 1);
    expect(await renew(server, service)).toMatchObject({ active: true });
    await eventually(() => expect(stream.rooms()).toEqual({ r: 1 }));
    expect(puts(server)).toEqual([false, true, true]);
  });

  test('that posts while it should be silent: the answer stops it, and it is told', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    server.active = true;
    server.eventsUrl = `${service.url}/api/events?token=of.another`;
    expect(await renew(server, service)).toMatchObject({ active: false });
    expect(server.active).toBe(false);
    await eventually(() => expect(puts(server)).toEqual([false, false]));
  });

  test('that does not answer, at once when it is back', async () => {
    const server = await startWithAgent();
    const service = await harness.service({ REQUEST_TIMEOUT_MS: '200', PROBE_INTERVAL_MS: '100' });
    server.respond({ kind: 'status' });
    await harness.stream(service);
    await untilShown(service, { state: 'unreachable' });
    server.respond({ kind: 'normal' });
    await renew(server, service);
    await untilShown(service, { state: 'live' });
  });
});

describe('without a viewer', () => {
  test('a server that says it is another process is asked again what it is', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    server.restart();
    server.agent = { capabilities: ['names'], run: 'second' };
    await server.askAtStartup(service.url, { port: server.port, run: 'second' });
    await eventually(() => expect(puts(server)).toEqual([false, false]));
    await renew(server, service, { run: 'second' });
    await untilDone(service);
    expect(puts(server)).toEqual([false, false]);
  });

  test('a server that could not be told to be silent is told when it asks', async () => {
    const server = await startDouble();
    server.respond({ kind: 'status' });
    const service = await startStaged([server]);
    expect(await shown(service)).toMatchObject([{ id: server.id, state: 'unknown' }]);
    const before = puts(server).length;
    server.respond({ kind: 'normal' });
    await renew(server, service);
    await untilShown(service, { id: server.id, state: 'silent' });
    expect(puts(server)).toHaveLength(before + 1);
  });
});

describe('a server that names its host', () => {
  test('is known by that name if it is its own', async () => {
    const server = await startWithAgent();
    const service = await harness.service({ PUBSUB_SERVERS: '' });
    await renew(server, service, { also: { host: 'localhost' } });
    await untilShown(service, { id: `localhost:${server.port}`, state: 'silent' });
  });

  test('is not known twice, if its address is known already', async () => {
    const server = await startWithAgent();
    const service = await harness.service();
    await renew(server, service, { also: { host: 'localhost' } });
    await untilDone(service);
    expect((await shown(service)).map(({ id }: { id: string }) => id)).toContain(server.id);
    expect(await shown(service)).toHaveLength(2);
  });

  test('is known by its address if the name is not its own', async () => {
    const server = await startWithAgent();
    const service = await harness.service({ PUBSUB_SERVERS: '' });
    await renew(server, service, { also: { host: '127.0.0.2' } });
    await untilShown(service, { id: server.id, state: 'silent' });
  });
});
