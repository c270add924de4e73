import { expect, test } from '@jest/globals';
import type { ServerId } from '../../../../machines/ports.js';
import type { ServersTable } from '../../../../server/store/store.js';

const hourMs = 60 * 60 * 1000;
const server = '10.0.0.3:8001' as ServerId;
const inOneHour = () => Math.ceil((Date.now() + hourMs) / 1000) * 1000;

/** The tests of every `ServersTable`. `table`: an empty one for each test. */
export function describeServers(table: () => ServersTable): void {
  test('are listed until they are removed', async () => {
    const item = { server, origin: 'remembered', expiresAt: inOneHour() } as const;
    await table().put(item);
    expect(await table().list()).toEqual([item]);
    await table().remove(server);
    await table().remove(server);
    expect(await table().list()).toEqual([]);
  });

  test('are not listed after they expire', async () => {
    await table().put({ server, origin: 'registered', expiresAt: Date.now() - 2000 });
    expect(await table().list()).toEqual([]);
  });

  test('have one item each: a heartbeat replaces a remembered server', async () => {
    const expiresAt = inOneHour();
    await table().put({ server, origin: 'remembered', expiresAt });
    await table().put({ server, origin: 'registered', expiresAt });
    await table().put({ server, origin: 'remembered', expiresAt: expiresAt + hourMs });
    expect(await table().list()).toEqual([{ server, origin: 'registered', expiresAt }]);
  });

  test('are remembered in place of an expired heartbeat', async () => {
    await table().put({ server, origin: 'registered', expiresAt: Date.now() - 2000 });
    await table().put({ server, origin: 'remembered', expiresAt: inOneHour() });
    expect(await table().list()).toMatchObject([{ origin: 'remembered' }]);
  });
}
