import { request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { readConfig } from '../../server/config.js';
import { startService } from '../../server/service.js';
import { ask, post } from '../server/http.js';
import { puts, toldUrl, useWorld } from '../server/support.js';
import { emptyStore } from '../support/emptyStore.js';
import { eventually } from '../support/eventually.js';

const world = useWorld();

/** Room names that would be something else, were they not kept as text. */
const names = [
  'a\nevent: snapshot\ndata: {"fake":1}\n\n',
  'a\r\ndata: {"fake":1}\r\n\r\n',
  'a\rid: 9\r\r',
  ': comment',
  '"},"fake":{"x":"',
  '\u2028\u2029\u0000\ufeff',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '</script><script>alert(1)</script>',
  '..%2f..%2fetc%2fpasswd',
  '$(reboot)',
];

describe('a room’s name', () => {
  test('adds no field and no event to a stream, and no room but itself', async () => {
    const server = await world.server();
    const service = await world.service();
    const streams = [
      await world.watch(service),
      await world.watch(service, { path: '/api/events?stream=changes' }),
    ];
    const deltas = names.map((room) => ({ room, add: 1 }));
    expect((await post(toldUrl(server), deltas)).status).toBe(204);
    const shown = names.toSorted();
    for (const stream of streams) {
      await eventually(() => {
        const rooms = stream.rooms();
        expect(Object.getOwnPropertyNames(rooms).sort()).toEqual(shown);
        expect(new Set(Object.values(rooms))).toEqual(new Set([1]));
      });
      const events = new Set(stream.messages.map(({ event }) => event ?? 'unnamed'));
      for (const event of events)
        expect(['unnamed', 'snapshot', 'changes', 'servers']).toContain(event);
      expect(stream.messages.filter(({ data }) => data === '{"fake":1}')).toEqual([]);
    }
    const late = await world.stream(service, { path: '/api/events?stream=changes' });
    await eventually(() => expect(Object.keys(late.rooms()).sort()).toEqual(shown));
  });

  test('puts nothing into headers, nor into the request line of what servers are asked', async () => {
    const server = await world.server();
    const service = await world.service();
    const room = 'x%0d%0aX-Injected:%201%0d%0a';
    const answers = [
      await ask(`${service.url}/api/rooms/${room}`),
      await ask(`${service.url}/api/rooms/${encodeURIComponent(room)}/servers`),
      await ask(`${service.url}/api/rooms?prefix=${room}&limit=1`),
      await ask(`${service.url}/api/events?stream=${room}`),
    ];
    for (const { headers } of answers) expect(headers).not.toHaveProperty('x-injected');
    expect(server.requests.map(({ path }) => path).join()).not.toMatch(/[\r\n ]/);
    expect(server.fatal).toEqual([]);
  });
});

describe('JSON that is posted', () => {
  const polluting = [
    '{"__proto__":{"add":1,"room":"fake"}}',
    '{"room":"r","add":1,"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}},"room":"r","add":1}',
    '[{"__proto__":[{"room":"fake","add":1}]}]',
  ];

  test('changes no prototype', async () => {
    const server = await world.server();
    const service = await world.service();
    await world.watch(service);
    for (const body of polluting) await post(toldUrl(server), body);
    const headers = { 'Content-Type': 'application/json' };
    for (const body of polluting)
      await ask(`${service.url}/api/session`, { method: 'POST', body, headers });
    for (const query of [
      '__proto__[polluted]=1',
      '__proto__=1',
      'constructor.prototype.polluted=1',
    ])
      for (const path of ['/api/events/clients', '/api/rooms', '/api/state'])
        await ask(`${service.url}${path}?${query}`);
    server.rooms.set('r', 1);
    server.respond({ kind: 'body', body: '[{"__proto__":{"polluted":1}},{"r":1}]', times: 1 });
    await post(`${service.url}/api/events`, {});
    await eventually(() => expect(puts(server).filter(Boolean).length).toBeGreaterThan(1));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test.each([
    ['nested 500,000 deep', '['.repeat(500_000), 400],
    ['nested 200,000 deep and closed', '['.repeat(200_000) + ']'.repeat(200_000), 400],
    ['objects nested 100,000 deep', `${'{"room":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 400],
    ['of 500,000 deltas that are none', `[${'1,'.repeat(500_000)}1]`, 400],
    ['a number of 900,000 digits', `{"room":"fake","add":${'9'.repeat(900_000)}}`, 400],
    ['a key of 900,000 characters', `{"${'k'.repeat(900_000)}":1}`, 400],
  ])('%s is refused in little time', async (_, body, status) => {
    const server = await world.server();
    const service = await world.service();
    await world.watch(service);
    const since = performance.now();
    expect((await post(toldUrl(server), body)).status).toBe(status);
    expect(performance.now() - since).toBeLessThan(2000);
    expect((await ask(`${service.url}/health`)).status).toBe(200);
  });
});

test('no answer is taken for a script, a style or a picture by the page of another origin', async () => {
  const service = await world.service();
  for (const path of ['/api/state', '/api/rooms', '/api/rooms/none', '/openapi.json', '/nothing']) {
    const { headers } = await ask(service.url + path);
    expect([path, headers]).toEqual([
      path,
      expect.objectContaining({
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
      }),
    ]);
  }
});

test('what strangers send is in no line of the log but its own, and that is JSON', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
  const service = await startService(readConfig({ PORT: '0' }), log, {
    openStore: async () => emptyStore,
  });
  const forged = '{"level":60,"msg":"forged"}';
  await ask(`${service.url}/%0a${encodeURIComponent(forged)}`);
  await ask(`${service.url}/x`, { method: 'POST', body: forged, headers: { 'X-Forged': forged } });
  await rawTarget(service.url, `/api/"${forged.replaceAll(' ', '')}\\n`);
  await rawTarget(service.url, `/${'x'.repeat(10_000)}`);
  await service.stop();
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) {
    expect(line.trimEnd()).not.toContain('\n');
    expect(line.length).toBeLessThan(1000);
    expect(JSON.parse(line)).not.toMatchObject({ msg: 'forged' });
  }
});

/** A request whose target no URL would have. */
function rawTarget(url: string, path: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, agent: false }, (answer) => {
      answer.resume().once('end', resolve);
    })
      .once('error', reject)
      .end();
  });
}
