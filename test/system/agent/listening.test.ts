import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { createAgent } from '../../../server/agent/createAgent.js';
import { eventually } from '../../support/eventually.js';
import { type FakeDashboard, owns, startFakeDashboard } from '../demo/support.js';
import { queriesIn } from './support.js';

let dashboard: FakeDashboard;

beforeEach(async () => {
  dashboard = await startFakeDashboard();
});

const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
const others = all.filter(({ internal, family }) => !internal && family === 'IPv4');
const hasIpv6 = all.some(({ address }) => address === '::1');

/** The hosts of these where something listens on the port. */
async function listeningHosts(port: number, hosts: string[]): Promise<string[]> {
  const open = hosts.map(async (host) => {
    const socket = owns(connect(port, host), (it) => it.destroy());
    return once(socket, 'connect').then(
      () => [host],
      () => [],
    );
  });
  return (await Promise.all(open)).flat();
}

/** Starts an agent with the default host. */
async function portFor(url: string): Promise<number> {
  const log = { info: () => undefined, warn: () => undefined };
  const documents = { connections: () => [], encodedState: () => undefined };
  const agent = owns(createAgent({ url, documents, log }), (it) => it.close());
  return (await agent.start()).port;
}

const loopback = ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])];
const hosts = [...loopback, ...others.map(({ address }) => address)];

test('an agent listens on loopback alone for a dashboard there, of the same version', async () => {
  const port = await portFor('http://127.0.0.1:1');
  expect(await listeningHosts(port, hosts)).toEqual(['127.0.0.1']);
});

test('an agent listens on both loopback addresses for a dashboard at localhost', async () => {
  const port = await portFor('http://localhost:1');
  expect(await listeningHosts(port, hosts)).toEqual(loopback);
});

test('an agent listens on all addresses for a dashboard on another machine', async () => {
  const port = await portFor('http://dashboard.invalid:1');
  expect(await listeningHosts(port, hosts)).toEqual(hosts);
});

test('each worker of a cluster has a port and a name of its own', async () => {
  const file = fileURLToPath(new URL('agentWorkers.ts', import.meta.url));
  const primary = fork(file, [dashboard.url], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  owns(primary, async (it) => {
    it.disconnect();
    await once(it, 'exit');
  });
  const ports: number[] = [];
  primary.on('message', (ready: { port: number }) => ports.push(ready.port));
  await eventually(() => {
    expect(queriesIn(dashboard.received)).toHaveLength(2);
    expect(ports).toHaveLength(2);
  });
  const queries = queriesIn(dashboard.received);
  expect(new Set(queries.map(({ port }) => Number(port)))).toEqual(new Set(ports));
  expect(new Set(ports).size).toBe(2);
  expect(queries.map(({ name }) => name).sort()).toEqual([`${hostname()}#1`, `${hostname()}#2`]);
});
