import { stat } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import { createClient } from '../../../../server/store/dynamodb/client.js';
import { type EmbeddedOptions, startEmbedded } from '../../../../server/store/embedded/embedded.js';
import { createExpiry } from '../../../../server/store/embedded/expiry.js';
import { StoreError } from '../../../../server/store/store.js';
import { eventually } from '../../../support/eventually.js';
import { folder, owns, tablesOf, withinMs } from './support.js';

const server = '10.0.0.3:8001' as ServerId;
const hourMs = 60 * 60 * 1000;
const inOneHour = Math.ceil((Date.now() + hourMs) / 1000) * 1000;

const start = async (options: EmbeddedOptions = {}) => {
  const embedded = owns(await startEmbedded({ withinMs, ...options }), (it) => it.close());
  const client = createClient({ ...embedded.clientOptions, withinMs });
  owns(client, (it) => it.destroy());
  return { embedded, client, ...tablesOf(client, embedded.names) };
};
const addressOf = (embedded: { clientOptions: { endpoint: string } }) => {
  const { hostname, port } = new URL(embedded.clientOptions.endpoint);
  return { host: hostname, port: Number(port) };
};

describe('the embedded server', () => {
  test('listens on loopback only', async () => {
    const { embedded } = await start();
    expect(addressOf(embedded).host).toBe('127.0.0.1');
  });

  test('keeps its tables in its folder', async () => {
    const dataDir = join(await folder(), 'made');
    const first = await start({ dataDir });
    await first.servers.put({ server, origin: 'remembered', expiresAt: inOneHour });
    await first.client.send(
      new PutItemCommand({ TableName: 'rooms', Item: { id: { S: '__proto__' } } }),
    );
    await first.embedded.close();
    const second = await start({ dataDir });
    expect(await second.servers.list()).toEqual([
      { server, origin: 'remembered', expiresAt: inOneHour },
    ]);
    expect(await second.rooms.get('__proto__')).toEqual({ id: '__proto__', addresses: [] });
  });

  test('in memory starts empty', async () => {
    const first = await start();
    await first.servers.put({ server, origin: 'remembered', expiresAt: inOneHour });
    await first.embedded.close();
    expect(await (await start()).servers.list()).toEqual([]);
  });

  test('refuses a folder that another server uses, and says so', async () => {
    const dataDir = await folder();
    const first = await start({ dataDir });
    await expect(startEmbedded({ dataDir })).rejects.toThrow(
      new RegExp(`DATA_DIR "${dataDir}" cannot be used .*by no other process`),
    );
    await first.servers.put({ server, origin: 'remembered', expiresAt: inOneHour });
    await first.embedded.close();
    expect(await (await start({ dataDir })).servers.list()).toHaveLength(1);
  });

  test.each(['/proc/none', '/dev/null'])('cannot be in %s, and says so', async (dataDir) => {
    const refused = startEmbedded({ dataDir });
    await expect(refused).rejects.toThrow(`DATA_DIR "${dataDir}" cannot be used`);
    await expect(refused).rejects.toThrow(StoreError);
    await expect(stat(join(dataDir, 'dynamodb'))).rejects.toThrow();
  });

  test('refuses clients with another key', async () => {
    const { embedded } = await start();
    const credentials = { accessKeyId: 'A', secretAccessKey: 'B' };
    const client = createClient({ ...embedded.clientOptions, credentials });
    owns(client, (it) => it.destroy());
    await expect(tablesOf(client, embedded.names).rooms.get('r')).rejects.toThrow(StoreError);
    expect((await fetch(embedded.clientOptions.endpoint)).status).toBe(403);
  });

  test('survives requests that crash dynalite', async () => {
    const faults: Error[] = [];
    const { embedded, servers } = await start({ onFault: (cause) => faults.push(cause) });
    const { accessKeyId } = embedded.clientOptions.credentials;
    const head = [
      'POST / HTTP/1.1',
      'Host: x',
      'Content-Type: application/x-amz-json-1.0',
      'X-Amz-Target: DynamoDB_20120810.GetItem',
      'X-Amz-Date: 20261123T180000Z',
      `Authorization: AWS4-HMAC-SHA256 Credential=${accessKeyId}/x, SignedHeaders=a, Signature=b`,
    ].join('\r\n');
    const halfSent = net.connect(addressOf(embedded));
    halfSent.on('error', () => undefined);
    halfSent.write(`${head}\r\nContent-Length: 100\r\n\r\n{"Table`, () => halfSent.end());
    const nothing = owns(net.connect(addressOf(embedded)), (it) => it.destroy());
    nothing.write(`${head}\r\nContent-Length: 4\r\n\r\nnull`);
    await eventually(() => expect(faults).toHaveLength(2));
    await servers.put({ server, origin: 'remembered', expiresAt: inOneHour });
    expect(await servers.list()).toHaveLength(1);
  });

  test('deletes expired items, and nothing else', async () => {
    const { client, servers, connections } = await start({ expireEveryMs: 20 });
    const timestamp = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
    await servers.put({ server, origin: 'remembered', expiresAt: inOneHour });
    await connections.put({ id: 'new', roomName: 'r', timestamp: timestamp(47 * hourMs) });
    await connections.put({ id: 'old', roomName: 'r', timestamp: timestamp(49 * hourMs) });
    const gone = '10.0.0.4:8001' as ServerId;
    await servers.put({ server: gone, origin: 'registered', expiresAt: Date.now() - 5000 });
    const left = async (TableName: string) =>
      (await client.send(new ScanCommand({ TableName }))).Items ?? [];
    await eventually(async () => {
      expect(await left('servers')).toMatchObject([{ id: { S: server } }]);
      expect(await left('connections')).toMatchObject([
        { at: { S: expect.stringMatching(/#new$/) } },
      ]);
    });
  });

  test('reads a limited part of a table at a time for that, and in the end all of it', async () => {
    const { client, servers } = await start();
    const ids = Array.from({ length: 60 }, (_, index) => `10.0.1.${index}:1` as ServerId);
    for (const [index, id] of ids.entries()) {
      const expiresAt = index % 3 ? inOneHour : Date.now() - 5000;
      await servers.put({ server: id, origin: 'registered', expiresAt });
    }
    const expiry = createExpiry(client, 'servers', ['id'], { readItems: 10 });
    const deleted: number[] = [];
    for (let round = 0; round < 7; round += 1) deleted.push(await expiry.round());
    expect(Math.max(...deleted)).toBeLessThanOrEqual(10);
    expect(deleted.reduce((sum, items) => sum + items)).toBe(20);
    expect(await servers.list()).toHaveLength(40);
  });
});
