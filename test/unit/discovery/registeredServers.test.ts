import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../machines/ports.js';
import { registeredServers } from '../../../server/discovery/registeredServers.js';
import { memoryStore } from './memoryStore.js';

test('only servers with a current registration are named', async () => {
  const store = memoryStore();
  const [one, two, three] = ['10.0.0.1:8001', '10.0.0.2:8001', '10.0.0.3:8001'] as ServerId[];
  store.register(one as ServerId);
  store.register(two as ServerId, -1);
  const expiresAt = Date.now() + 60_000;
  store.items.set(three as ServerId, {
    server: three as ServerId,
    origin: 'remembered',
    expiresAt,
  });
  const source = registeredServers(store.servers);
  const never = new AbortController().signal;
  expect(await source.discover(never)).toEqual([one]);
  store.fail(true);
  await expect(source.discover(never)).rejects.toThrow('unreachable');
});
