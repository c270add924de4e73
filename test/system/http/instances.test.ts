import { describe, expect, test } from '@jest/globals';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { createApp } from '../../../server/http/app.js';
import { readSignedBody } from '../../../server/http/auth/instances.js';
import { appNeeds } from '../../support/appNeeds.js';
import { clusterNeeds, clusterSecret } from '../../support/clusterNeeds.js';
import { useHarness } from '../../support/harness.js';
import { ask } from '../../support/http.js';

const harness = useHarness();
const signatures = new InstanceSignatures(clusterSecret, 'this');
const other = new InstanceSignatures(clusterSecret, 'other');
const path = '/api/servers';

/** Headers of a request to `to`. */
const signedFor = (to: string, by = other, target = path) => ({
  'Instance-Signature': by.sign({ method: 'GET', target }, to),
});

async function start(overrides: Parameters<typeof appNeeds>[0] = {}): Promise<string> {
  const needs = appNeeds({
    viewerToken: 'secret',
    fleet: { discovery: () => [] },
    cluster: clusterNeeds(signatures, { isLeading: () => true }),
    ...overrides,
  });
  return (await harness.app(createApp(needs))).url;
}

describe('a request of another instance', () => {
  test('needs no token, and no allowed host name', async () => {
    const url = await start();
    expect(await ask(url + path)).toMatchObject({ code: 'unauthorized' });
    const headers = { ...signedFor('this'), Host: 'pod-1.internal' };
    expect(await ask(url + path, { headers })).toMatchObject({ status: 200, text: '[]' });
  });

  test.each([
    [
      'with another secret',
      signedFor('this', new InstanceSignatures(`${clusterSecret}!`, 'other')),
    ],
    ['for another instance', signedFor('that')],
    ['for another path', signedFor('this', other, '/api/state')],
    ['by this very instance', signedFor('this', signatures)],
  ])('is refused if it is signed %s', async (_, headers) => {
    const bearer = { Authorization: 'Bearer secret' };
    expect(await ask((await start()) + path, { headers: { ...headers, ...bearer } })).toMatchObject(
      {
        status: 403,
        code: 'instance_unknown',
      },
    );
  });

  test('is one of a stranger without a cluster', async () => {
    const url = await start({ cluster: undefined });
    expect(await ask(url + path, { headers: signedFor('this') })).toMatchObject({
      code: 'unauthorized',
    });
  });
});

test('a body of another instance is read only if it is the one that was signed', async () => {
  const limits = { maxBodyBytes: 100, bodyTimeoutMs: 1000 };
  const cluster = clusterNeeds(signatures, {
    addRoutes: (router) =>
      router.post('/api/instances/test', async (ctx) => {
        ctx.body = await readSignedBody(ctx, limits);
      }),
  });
  const url = await start({ cluster });
  const head = { method: 'POST', target: '/api/instances/test' };
  const headers = { 'Instance-Signature': other.sign(head, 'this', 'signed') };
  const post = (body: string) => ask(url + head.target, { method: 'POST', headers, body });
  expect(await post('signed')).toMatchObject({ status: 200, text: 'signed' });
  expect(await post('forged')).toMatchObject({ status: 403, code: 'instance_unknown' });
});
