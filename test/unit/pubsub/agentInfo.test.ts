import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ServerId } from '../../../machines/ports.js';
import { AgentInfos, parseAgentInfo } from '../../../server/pubsub/agentInfo.js';

const server = '10.0.0.3:8001' as ServerId;
const told = {
  capabilities: ['names', 'rooms'],
  run: 'a1b2',
  name: 'web-1',
  agent: '0.1.0',
  host: 'hocuspocus 3.4.4',
  node: 'v20.20.2',
  uptimeSeconds: 12,
  memoryBytes: 80_000_000,
  eventLoopDelayMs: 1.2,
  documents: { inMemory: 10, idle: 2 },
  stores: { pending: 0, failed: 0 },
};

test('all that a server tells of itself is read', () => {
  const info = parseAgentInfo(JSON.stringify(told));
  expect(info).toEqual({ ...told, capabilities: new Set(told.capabilities) });
});

test('text that is escaped to fit into a header is read', () => {
  const header = '{"capabilities":[],"name":"b\\u00fcro"}';
  expect(parseAgentInfo(header)?.name).toBe('büro');
});

const unreadable: [string, Record<string, unknown>][] = [
  ['a name with a line break', { name: 'web\n1' }],
  ['an empty name', { name: '' }],
  ['a name of 256 characters', { name: 'x'.repeat(256) }],
  ['a name that is no text', { name: 1 }],
  ['a run that is an object', { run: {} }],
  ['a negative uptime', { uptimeSeconds: -1 }],
  ['memory that is no whole number', { memoryBytes: 1.5 }],
  ['memory beyond exact numbers', { memoryBytes: 2 ** 53 }],
  ['a delay that is infinite in JSON', { eventLoopDelayMs: null }],
  ['documents without a number', { documents: { inMemory: 1 } }],
  ['stores that are a list', { stores: [1, 2] }],
  ['33 capabilities', { capabilities: Array(33).fill('names') }],
  ['capabilities that are no list', { capabilities: 'names' }],
  ['a capability that is no text', { capabilities: [1] }],
];

test.each(unreadable)('%s is left out, and nothing else', (_, change) => {
  const info = parseAgentInfo(JSON.stringify({ ...told, ...change }));
  const [field = ''] = Object.keys(change);
  const left = field === 'capabilities' ? new Set() : undefined;
  expect(info).toEqual({ ...told, capabilities: new Set(told.capabilities), [field]: left });
});

const noHeader: [string, string][] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['null', 'null'],
  ['a list', '[]'],
  ['two headers in one', '{"capabilities":[]}, {"capabilities":[]}'],
  ['more than 4 KiB', JSON.stringify({ ...told, more: 'x'.repeat(4096) })],
];

test.each(noHeader)('%s tells nothing', (_, header) => {
  expect(parseAgentInfo(header)).toBeUndefined();
});

test('a header of 4 KiB is read', () => {
  const empty = JSON.stringify({ run: 'a', more: '' });
  const header = JSON.stringify({ run: 'a', more: 'x'.repeat(4096 - empty.length) });
  expect(header).toHaveLength(4096);
  expect(parseAgentInfo(header)?.run).toBe('a');
});

test('any text and any JSON are read without an error', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (header) => {
      const info = parseAgentInfo(header);
      if (info) expect(info.capabilities).toBeInstanceOf(Set);
    }),
  );
});

test('a server supports what it announced last, and nothing once it has no agent or is gone', () => {
  const infos = new AgentInfos();
  expect(infos.supports(server, 'names')).toBe(false);
  infos.noteHeader(server, '{"capabilities":["names"],"run":"a"}');
  expect([infos.supports(server, 'names'), infos.get(server)?.run]).toEqual([true, 'a']);
  infos.noteHeader(server, '{"capabilities":["rooms"],"run":"b"}');
  expect([infos.supports(server, 'names'), infos.get(server)?.run]).toEqual([false, 'b']);
  infos.noteHeader(server, undefined);
  expect(infos.get(server)).toBeUndefined();
  infos.noteHeader(server, '{"capabilities":["names"]}');
  infos.noteHeader(server, 'broken');
  expect(infos.get(server)).toBeUndefined();
  infos.noteHeader(server, '{"capabilities":["names"]}');
  infos.forget(server);
  expect(infos.supports(server, 'names')).toBe(false);
});

test('strangers cannot make it keep more than 20,000 servers', () => {
  const infos = new AgentInfos();
  const nth = (index: number) => `10.0.0.1:${index}` as ServerId;
  for (let i = 0; i <= 20_000; i += 1) infos.noteHeader(nth(i), '{"capabilities":["names"]}');
  expect([infos.supports(nth(0), 'names'), infos.supports(nth(1), 'names')]).toEqual([false, true]);
});

test('a change of capabilities or of the process is told, and nothing else', () => {
  const changes: [string, boolean][] = [];
  const infos = new AgentInfos((id, { hasRestarted }) => changes.push([id, hasRestarted]));
  const note = (header: object | undefined) => {
    infos.noteHeader(server, header && JSON.stringify(header));
    return changes.splice(0);
  };
  expect(note({ capabilities: [] })).toEqual([]);
  expect(note({ capabilities: ['rooms', 'names'], run: 'a' })).toEqual([[server, false]]);
  expect(note({ capabilities: ['names', 'rooms'], run: 'a', uptimeSeconds: 9 })).toEqual([]);
  expect(note({ capabilities: ['names', 'rooms'], run: 'b' })).toEqual([[server, true]]);
  expect(note({ capabilities: ['namesrooms'], run: 'b' })).toEqual([[server, false]]);
  expect(note({ capabilities: ['names'], run: 'b' })).toEqual([[server, false]]);
  expect(note(undefined)).toEqual([[server, true]]);
  expect(note(undefined)).toEqual([]);
});
