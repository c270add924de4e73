import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { dnsSource } from '../../../server/discovery/dnsSource.js';
import { type NameServer, startNameServer } from './nameServer.js';

let server: NameServer;
const name = 'pubsub.test';

beforeEach(async () => {
  server = await startNameServer();
});
afterEach(() => server.stop());

const source = (port?: number) =>
  dnsSource({ name, ...(port !== undefined && { port }) }, 8001, server.address);
const never = () => new AbortController().signal;

test('A and AAAA records are servers at the default port, or at the port of the name', async () => {
  server.names.set(name, { A: ['10.0.0.1', '10.0.0.2'], AAAA: ['fd00::1'] });
  const ids = ['10.0.0.1:8001', '10.0.0.2:8001', '[fd00::1]:8001'];
  expect(await source().discover(never())).toEqual(ids);
  expect(await source(9000).discover(never())).toEqual(
    ids.map((id) => id.replace(/8001$/, '9000')),
  );
  expect([source().name, source(9000).name]).toEqual(['dns:pubsub.test', 'dns:pubsub.test:9000']);
});

test('every answer is the current one of the name server', async () => {
  const asked = source();
  server.names.set(name, { A: ['10.0.0.1'] });
  expect(await asked.discover(never())).toEqual(['10.0.0.1:8001']);
  server.names.set(name, { A: ['10.0.0.2'] });
  expect(await asked.discover(never())).toEqual(['10.0.0.2:8001']);
});

test('a name that was never found is an error, one that vanished has no servers', async () => {
  const asked = source();
  await expect(asked.discover(never())).rejects.toThrow('ENOTFOUND pubsub.test');
  server.names.set(name, { A: ['10.0.0.1'] });
  expect(await asked.discover(never())).toHaveLength(1);
  server.names.delete(name);
  expect(await asked.discover(never())).toEqual([]);
});

test('a name without addresses has no servers', async () => {
  server.names.set(name, {});
  expect(await source().discover(never())).toEqual([]);
});

test('a failing name server is an error', async () => {
  const asked = source();
  server.names.set(name, { A: ['10.0.0.1'] });
  expect(await asked.discover(never())).toHaveLength(1);
  server.fault('A', 'SERVFAIL');
  await expect(asked.discover(never())).rejects.toThrow('ESERVFAIL');
});

test('a family that never had an address may fail beside one that has', async () => {
  const asked = source();
  server.names.set(name, { A: ['10.0.0.1'], AAAA: ['fd00::1'] });
  server.fault('AAAA', 'SERVFAIL');
  expect(await asked.discover(never())).toEqual(['10.0.0.1:8001']);
  server.fault('AAAA', undefined);
  expect(await asked.discover(never())).toHaveLength(2);
  server.fault('AAAA', 'SERVFAIL');
  await expect(asked.discover(never())).rejects.toThrow('ESERVFAIL');
});

test('a silent name server times out, and ends at once on abort', async () => {
  server.fault('A', 'silence');
  server.fault('AAAA', 'silence');
  const stop = new AbortController();
  const answer = source().discover(stop.signal);
  stop.abort();
  await expect(answer).rejects.toThrow('ECANCELLED');
  await expect(source().discover(never())).rejects.toThrow('ETIMEOUT');
});
