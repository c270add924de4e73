import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../../server/config/config.js';
import { CallbackUrls } from '../../../server/pubsub/callbackUrls.js';
import { type Service, startService } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { type ScriptedServer, startScriptedServer } from '../../support/scriptedServer.js';

const port = 8000;
const urlFor = (host: string, localAddress: string, remoteAddress = '10.0.0.3') =>
  new CallbackUrls({ host, port }).urlFor({ localAddress, remoteAddress });

describe('the callback address', () => {
  test.each([
    ['0.0.0.0', '10.0.0.5', 'http://10.0.0.5:8000/api/events'],
    ['::', '::ffff:10.0.0.5', 'http://10.0.0.5:8000/api/events'],
    ['::', '2001:db8::5', 'http://[2001:db8::5]:8000/api/events'],
    ['::', 'fd00::5', 'http://[fd00::5]:8000/api/events'],
  ])('with HOST=%s is the local address %s of the connection', (host, local, url) => {
    expect(urlFor(host, local)).toBe(url);
  });

  test('is a specific HOST, by which alone this service can be reached', () => {
    expect(urlFor('10.1.0.5', '10.0.0.5')).toBe('http://10.1.0.5:8000/api/events');
    expect(urlFor('fd00::5', '10.0.0.5')).toBe('http://[fd00::5]:8000/api/events');
  });

  test('is always PUBLIC_URL where that is set', () => {
    const urls = new CallbackUrls({ publicUrl: 'https://dash.example/sub', host: '::1', port });
    for (const localAddress of ['127.0.0.1', '169.254.1.2', undefined])
      expect(urls.urlFor({ localAddress })).toBe('https://dash.example/sub/api/events');
  });

  test.each([
    ['0.0.0.0', '127.0.0.1', '127.0.0.1', 'http://127.0.0.1:8000/api/events'],
    ['127.0.0.1', '127.0.0.1', '127.0.0.2', 'http://127.0.0.1:8000/api/events'],
    ['127.0.0.1', '10.0.0.5', '10.0.0.5', 'http://127.0.0.1:8000/api/events'],
    ['::1', '::1', '::1', 'http://[::1]:8000/api/events'],
  ])('HOST=%s, from %s to %s, may be loopback: it is this machine', (host, local, remote, url) => {
    expect(urlFor(host, local, remote)).toBe(url);
  });

  test.each([
    ['127.0.0.1', '10.0.0.5', 'Set HOST to 0.0.0.0, or PUBLIC_URL'],
    ['0.0.0.0', '169.254.7.8', '169.254.7.8, which is link-local. Set PUBLIC_URL'],
    ['::', 'fe80::1%eth0', 'fe80::1, which is link-local. Set PUBLIC_URL'],
    ['0.0.0.0', 'fd00::5', 'Set HOST to ::, or PUBLIC_URL'],
  ])('HOST=%s, from %s: there is none, and the reason is said', (host, local, why) => {
    expect(() => urlFor(host, local)).toThrow(why);
    expect(new CallbackUrls({ host, port }).reachableUrlFor({ localAddress: local })).toBe(
      undefined,
    );
    expect(new CallbackUrls({ host, port }).anyFor({ localAddress: local })).toContain('http://');
  });
});

describe('a service on a wildcard tells each server the address by which it is connected to it', () => {
  const stops: (() => unknown)[] = [];
  const log: string[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    log.length = 0;
  });

  async function scripted(host: string): Promise<ScriptedServer> {
    const server = await startScriptedServer({ host });
    stops.push(() => server.stop());
    return server;
  }

  async function serve(HOST: string, servers: ScriptedServer[], networks: string) {
    const config = readConfig({
      HOST,
      PORT: '0',
      AUTH: 'none',
      PUBSUB_SERVERS: servers.map(({ id }) => id).join(','),
      PUBSUB_NETWORKS: networks,
    });
    const write = (line: string) => void log.push(line);
    const service = await startService(config, pino({ level: 'warn' }, { write }), {
      openStore: async () => emptyStore,
    });
    stops.push(() => service.stop());
    const url = `http://127.0.0.1:${new URL(service.url).port}`;
    const viewer = await openEventStream(url);
    stops.push(() => viewer.close());
    return { service, url };
  }

  const portOf = (service: Service) => new URL(service.url).port;
  const rows = async (url: string) => JSON.parse((await ask(`${url}/api/servers`)).text);

  test('IPv4 and IPv6 side by side: their posts arrive, and are counted', async () => {
    const servers = [await scripted('127.0.0.2'), await scripted('::1')];
    for (const each of servers) each.rooms.set('r', 1);
    const { service, url } = await serve('::', servers, '127.0.0.0/8,::1');
    await eventually(() => expect(servers.map(({ active }) => active)).toEqual([true, true]));
    expect(servers.map(({ eventsUrl }) => eventsUrl?.split('?')[0])).toEqual([
      `http://127.0.0.1:${portOf(service)}/api/events`,
      `http://[::1]:${portOf(service)}/api/events`,
    ]);
    for (const each of servers) expect(await each.open('r')).toEqual({ status: 204 });
    await eventually(async () =>
      expect(await rows(url)).toMatchObject([{ connections: 2 }, { connections: 2 }]),
    );
    expect((await rows(url)).map(({ callback }: { callback: string }) => callback)).toEqual([
      `http://127.0.0.1:${portOf(service)}/api/events`,
      `http://[::1]:${portOf(service)}/api/events`,
    ]);
  });

  test('and the one at which a start-up query arrived', async () => {
    const server = await scripted('127.0.0.2');
    const { service } = await serve('0.0.0.0', [server], '127.0.0.0/8');
    const asked = `http://127.0.0.7:${portOf(service)}`;
    const { eventsUrl } = await server.askAtStartup(asked);
    expect(eventsUrl).toContain(`${asked}/api/events?token=`);
  });

  const ownAddress = Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
  const address = ownAddress ?? '127.0.0.1';

  test('at an address of this machine it is that address', async () => {
    const server = await scripted(address);
    const { service } = await serve('0.0.0.0', [server], '0.0.0.0/0');
    await eventually(() => expect(server.active).toBe(true));
    expect(server.eventsUrl).toContain(`http://${address}:${portOf(service)}/api/events`);
    expect(await server.open('r')).toEqual({ status: 204 });
  });

  test('where it listens by IPv4 alone, a server at IPv6 fails with the reason, logged once', async () => {
    const server = await scripted('::1');
    const { url } = await serve('0.0.0.0', [server], '::1');
    const why = expect.stringContaining('Set HOST to ::, or PUBLIC_URL');
    await eventually(async () =>
      expect(await rows(url)).toMatchObject([{ lastFailure: why, callback: null }]),
    );
    await eventually(() => expect(server.requests.length).toBeGreaterThanOrEqual(1));
    await eventually(async () =>
      expect(log.filter((line) => /no callback/.test(line))).toHaveLength(1),
    );
    expect(server.active).toBe(false);
  });
});
