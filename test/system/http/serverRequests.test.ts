import { expect, test } from '@jest/globals';
import type { ServerRequests } from '../../../server/wire/serverRequests.js';
import { eventually } from '../../support/eventually.js';
import { getJson, startDouble, startStaged, watch } from '../../support/stage.js';

test('the requests to a server are told with their durations, and why the last one failed', async () => {
  const double = await startDouble();
  const service = await startStaged([double]);
  const requests = () =>
    getJson<ServerRequests>(`${service.url}/api/servers/requests?server=${double.id}`);
  await watch(service);
  await eventually(async () => {
    const { since, kinds, recent, lastFailure } = await requests();
    expect(kinds).toContainEqual(expect.objectContaining({ request: 'activate', failed: 0 }));
    expect(recent[0]?.ms).toBeGreaterThan(0);
    expect([typeof since, lastFailure]).toEqual(['string', null]);
  });
  double.respond({ kind: 'status', status: 503 });
  double.respond({ kind: 'status', status: 503, to: 'health' });
  await eventually(async () =>
    expect((await requests()).lastFailure).toMatchObject({ cause: 'answered 503' }),
  );
  double.respond({ kind: 'normal' });
  double.respond({ kind: 'normal', to: 'health' });
  // It is kept when the server is well again.
  await eventually(async () => {
    const { recent, lastFailure } = await requests();
    expect(recent[0]?.cause).toBeNull();
    expect(lastFailure?.cause).toBe('answered 503');
  });
});
