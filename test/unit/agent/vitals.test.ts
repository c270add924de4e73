import { readFile } from 'node:fs/promises';
import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { agentVersion } from '../../../server/agent/agentVersion.js';
import { Vitals } from '../../../server/agent/vitals.js';

const documents = { connections: () => [], encodedState: () => undefined };
const identity = { run: 'run', name: 'web-1', hostKind: 'hocuspocus 3.4.4' };
const told = (vitals: Vitals, snapshot?: Parameters<Vitals['header']>[0]) =>
  JSON.parse(vitals.header(snapshot));

test('the header tells of the process, its documents and stores', () => {
  const stores = () => ({ pending: 2, failed: 1 });
  const vitals = new Vitals(identity, { ...documents, stores });
  expect(told(vitals, { parts: [], inMemory: 3, idle: 2 })).toEqual({
    capabilities: ['names', 'rooms'],
    run: 'run',
    name: 'web-1',
    agent: agentVersion,
    host: 'hocuspocus 3.4.4',
    node: process.version,
    uptimeSeconds: expect.any(Number),
    memoryBytes: expect.any(Number),
    documents: { inMemory: 3, idle: 2 },
    stores: { pending: 2, failed: 1 },
  });
});

test('the header is ASCII of at most 4 KiB, whatever the names are', () => {
  const name = '😀\r\n"\u0001é'.repeat(10_000);
  const header = new Vitals({ ...identity, name, hostKind: name }, documents).header(undefined);
  expect(header).toMatch(/^[ -~]+$/);
  expect(header.length).toBeLessThan(4_096);
  expect(name.startsWith(JSON.parse(header).name)).toBe(true);
});

test('the delay of the event loop is measured while active, since the last answer', async () => {
  const vitals = new Vitals(identity, documents);
  const delayed = async () => {
    await after(50);
    const until = performance.now() + 200;
    while (performance.now() < until);
    await after(50);
  };
  await delayed();
  expect(told(vitals)).not.toHaveProperty('eventLoopDelayMs');
  vitals.measure(true);
  await delayed();
  expect(told(vitals).eventLoopDelayMs).toBeGreaterThan(100);
  expect(told(vitals)).not.toHaveProperty('eventLoopDelayMs');
  vitals.measure(false);
  await delayed();
  expect(told(vitals)).not.toHaveProperty('eventLoopDelayMs');
});

test('the version is that of package.json', async () => {
  const file = new URL('../../../server/agent/package.json', import.meta.url);
  expect(JSON.parse(await readFile(file, 'utf8')).version).toBe(agentVersion);
});
