import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import {
  activationsOf,
  calm,
  getJson,
  post,
  serversOf,
  startDouble,
  startStaged,
  stateOf,
  untilShown,
  watch,
} from '../../support/stage.js';
import { expectUnaffected, startWatched } from '../../support/watchedService.js';
import { HeapClock } from '../../unit/machines/heapClock.js';

const hostile: string[] = [
  '',
  'null',
  '{}',
  '[]',
  '"x"',
  '0',
  '{"room":"fake","add":1000000}',
  '{"room":"fake","add":1e400}',
  '{"room":"fake","add":0}',
  '{"room":"fake","add":0.5}',
  '{"room":"fake","add":NaN}',
  '{"room":"fake","add":"1"}',
  '{"room":"fake","add":{"valueOf":1}}',
  '{"room":"fake"}',
  '{"room":{"toString":"x"},"add":1}',
  '{"room":null,"add":1}',
  '{"__proto__":{"room":"fake","add":1}}',
  '[{"room":"r","add":1},{"room":"fake","add":9999}]',
  `{"room":"${'x'.repeat(20_000)}","add":1}`,
  `${'['.repeat(50_000)}`,
  '{"room":"fake","add":1',
  '\u0000\uffff',
];

describe('promise 7, unbreakable from outside: what is posted', () => {
  test('by strangers is refused with 404 and changes no count', async () => {
    const { double, service, viewer } = await startWatched();
    for (const query of ['', '?token=', '?token=x.y', '?token=a&token=b', '?token[]=1']) {
      for (const body of hostile) {
        const answer = await post(`${service.url}/api/events${query}`, body);
        expect({ query, status: answer.status }).toEqual({ query, status: 404 });
        expect(await answer.json()).toMatchObject({ error: { code: 'token_unknown' } });
      }
    }
    await expectUnaffected(service, viewer, double);
  });

  test('under a valid token that is no delta is refused, not counted, and has the server asked', async () => {
    // The clock stands still: with time it would be asked again and again.
    const { double, service, viewer } = await startWatched(calm, { clock: new HeapClock() });
    const url = double.eventsUrl ?? '';
    const puts = activationsOf(double);
    for (const body of hostile) {
      const { status } = await post(url, body);
      // An empty list is a list of deltas.
      expect({ body: body.slice(0, 60), status }).toEqual({
        body: body.slice(0, 60),
        status: body === '[]' ? 204 : 400,
      });
    }
    expect((await post(url, `"${'x'.repeat(1_100_000)}"`)).status).toBe(413);
    await eventually(() => expect(activationsOf(double)).toBe(puts + 1));
    await expectUnaffected(service, viewer, double);
  });

  test("under one server's token changes no other server's counts", async () => {
    const { double, other, service, viewer } = await startWatched();
    await post(double.eventsUrl ?? '', '{"room":"r","add":-1000}');
    await post(double.eventsUrl ?? '', '[{"room":"s","add":5},{"room":"r","add":-1}]');
    await untilShown(viewer, { r: 1, s: 5 });
    const row = (await serversOf(service)).find(({ id }) => id === other.id);
    expect(row).toMatchObject({ rooms: 1, connections: 1, state: 'live' });
    expect(await stateOf(service)).toMatchObject({ connections: 6 });
  });

  test('under an altered token is refused', async () => {
    const { double, other, service, viewer } = await startWatched();
    const tokenOf = (server: ScriptedServer) =>
      new URL(server.eventsUrl ?? '').searchParams.get('token') ?? '';
    const [payload = '', mac = ''] = tokenOf(double).split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as unknown[];
    const forge = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url');
    const tampered = [
      `${forge([other.id, ...claims.slice(1)])}.${mac}`,
      `${forge([claims[0], 1e9, ...claims.slice(2)])}.${mac}`,
      `${forge(['127.0.0.1'])}.${mac}`,
      `${payload}.${tokenOf(other).split('.')[1]}`,
      `${payload}.`,
      payload,
      `${payload}.${mac}.${mac}`,
    ];
    for (const token of tampered) {
      const { status } = await post(
        `${service.url}/api/events?token=${token}`,
        '{"room":"fake","add":1}',
      );
      expect({ token, status }).toEqual({ token, status: 404 });
    }
    await expectUnaffected(service, viewer, double);
  });
});

describe('promise 7, unbreakable from outside: start-up queries', () => {
  const odd = [
    '',
    '?port=',
    '?port=0',
    '?port=70000',
    '?port=x',
    '?port=1&port=2',
    '?port=-1',
    '?x',
  ];

  test('are always answered with 200 and JSON', async () => {
    const { double, service, viewer } = await startWatched();
    for (const query of odd) {
      const answer = await fetch(`${service.url}/api/events/clients${query}`);
      expect(answer.status).toBe(200);
      const body = (await answer.json()) as { active: unknown };
      expect({ query, active: typeof body.active }).toEqual({ query, active: 'boolean' });
    }
    await expectUnaffected(service, viewer, double);
  });

  test('have nothing sent to this service or to addresses outside the networks', async () => {
    const double = await startDouble();
    const strict = await startStaged([], { ...calm, PUBSUB_NETWORKS: '10.0.0.0/8' });
    const open = await startStaged([], calm);
    await watch(strict);
    await watch(open);
    const asked = [
      `${strict.url}/api/events/clients?port=${double.port}`,
      `${open.url}/api/events/clients?port=${new URL(open.url).port}`,
    ];
    for (const url of asked) {
      const answer = await getJson<{ active: boolean; eventsUrl: string }>(url);
      expect(answer.active).toBe(false);
      expect(answer.eventsUrl).not.toContain('token');
    }
    await post(`${strict.url}/api/events`, '{"room":"fake","add":1}');
    for (const { activation: actor } of [strict, open])
      expect(actor.getSnapshot().context.roster.candidates).toBe(0);
    expect(double.requests).toEqual([]);
  });
});
