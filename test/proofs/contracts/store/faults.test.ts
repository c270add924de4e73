import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import { type ClientOptions, createClient } from '../../../../server/store/dynamodb/client.js';
import { defaultNames } from '../../../../server/store/dynamodb/tables.js';
import { type Store, StoreError } from '../../../../server/store/store.js';
import {
  answer,
  type Fault,
  hang,
  refuse,
  reset,
  stall,
  startFaultyStore,
  trickle,
} from './faultyStore.js';
import { collect, owns, tablesOf } from './support.js';

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
const server = '10.0.0.3:8001' as ServerId;
const timestamp = new Date().toISOString();
/** A store that answers, in whatever way, has this time: how busy the machine is makes no difference. */
const patientMs = 120_000;
/** For stores that never answer in full: these need a timeout. By default it is 3,000 ms. */
const silent: readonly Fault[] = [hang, stall, trickle];

const storeAt = (endpoint: string, options: ClientOptions = {}) => {
  const client = createClient({ endpoint, region: 'local', credentials, ...options });
  return tablesOf(
    owns(client, (it) => it.destroy()),
    defaultNames,
  );
};
type Tables = Omit<Store, 'close'>;
const reads: ((store: Tables) => Promise<unknown>)[] = [
  ({ rooms }) => rooms.get('r'),
  ({ rooms }) => rooms.page({ limit: 5, maxRead: 5 }),
  ({ rooms }) => rooms.page({ limit: 5, maxRead: 5, prefix: 'r' }),
  ({ rooms }) => rooms.addresses({ maxRead: 5 }),
  ({ servers }) => servers.list(),
  ({ connections }) => collect(connections.newestFirst()),
  ({ connections }) => collect(connections.since(new Date())),
];
const all: typeof reads = [
  ...reads,
  ({ servers }) => servers.put({ server, origin: 'registered', expiresAt: Date.now() }),
  ({ servers }) => servers.put({ server, origin: 'remembered', expiresAt: Date.now() }),
  ({ servers }) => servers.remove(server),
  ({ connections }) => connections.put({ id: 'c', roomName: 'r', timestamp }),
];

describe('a store', () => {
  const unhandled: unknown[] = [];
  const note = (cause: unknown) => unhandled.push(cause);

  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  test.each<[string, string, Fault]>([
    [
      'throttles',
      'ProvisionedThroughputExceededException',
      refuse('ProvisionedThroughputExceededException'),
    ],
    ['throttles requests', 'ThrottlingException', refuse('ThrottlingException')],
    ['is in trouble', 'InternalServerError', refuse('InternalServerError', 500)],
    ['denies access', 'AccessDeniedException', refuse('AccessDeniedException')],
    ['has another key', "The table's key", refuse('ValidationException')],
    ['lacks the table', 'docs/deploy.md', refuse('ResourceNotFoundException')],
    ['hangs', 'TimeoutError', hang],
    ['stops in the middle of an answer', '', stall],
    ['answers without end', 'TimeoutError', trickle],
    ['cuts the connection', 'ECONNRESET', reset],
    ['answers with a page', '', answer('<!doctype html>', { type: 'text/html' })],
    ['answers half of the JSON', '', answer('{"Items":[{"id":{"S":')],
    ['answers no JSON', '', answer('okay')],
    ['is behind a proxy that fails', '', answer('<h1>Bad gateway</h1>', { status: 502 })],
  ])('that %s fails every question with a StoreError, in time', async (_what, words, fault) => {
    const { endpoint } = await startFaultyStore(fault);
    const store = storeAt(endpoint, silent.includes(fault) ? {} : { withinMs: patientMs });
    const outcomes = await Promise.all(all.map((ask) => ask(store).then(String, (cause) => cause)));
    for (const outcome of outcomes) {
      expect(outcome).toBeInstanceOf(StoreError);
      expect(outcome.message).toContain(words);
      expect(outcome.message.length).toBeLessThan(700);
    }
  });

  test('that refuses connections says so', async () => {
    const refused = storeAt('http://127.0.0.1:1').rooms.get('r');
    await expect(refused).rejects.toThrow(StoreError);
    await expect(storeAt('http://127.0.0.1:1').servers.list()).rejects.toThrow('ECONNREFUSED');
  });

  test('whose credentials are never found fails in time', async () => {
    const credentials = () => new Promise<never>(() => {});
    const client = createClient({ endpoint: 'http://127.0.0.1:1', region: 'local', credentials });
    owns(client, (it) => it.destroy());
    const asked = tablesOf(client, defaultNames).rooms.get('r');
    await expect(asked).rejects.toThrow('no answer within 3000 ms');
  });

  test('that fails once is asked again', async () => {
    const faulty = await startFaultyStore((...request) => {
      faulty.fault = answer('{"Item":{"id":{"S":"r"}}}');
      refuse('ProvisionedThroughputExceededException')(...request);
    });
    const room = await storeAt(faulty.endpoint, { withinMs: patientMs }).rooms.get('r');
    expect([room?.id, faulty.requests]).toEqual(['r', 2]);
  });

  test.each([
    '{}',
    'null',
    '[]',
    '{"Item":null,"Items":null}',
    '{"Item":{},"Items":[{}]}',
    '{"Item":{"id":{}},"Items":[{"id":{}}],"ScannedCount":1}',
    '{"Item":{"id":{"N":"1"}},"Items":[{"id":{"N":"1"},"remoteDocs":{"SS":"x"}}]}',
    '{"Item":{"id":null},"Items":[null]}',
    '{"Item":"r","Items":"r"}',
    '{"Items":[{"hour":{"S":"2026-11-23T18"},"at":{"S":"2026-11-23T18#x"}}]}',
    '{"Items":[],"LastEvaluatedKey":{}}',
  ])('that answers %s is read, or fails with a StoreError', async (body) => {
    const { endpoint } = await startFaultyStore(answer(body));
    const store = storeAt(endpoint);
    const outcomes = await Promise.allSettled(reads.map((ask) => ask(store)));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(StoreError);
    }
  });
});
