import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { startForwarder } from '../../support/forwarder.js';
import {
  calm,
  putsOf,
  serversOf,
  startDouble,
  startStaged,
  untilServer,
  untilShown,
  watch,
} from '../../support/stage.js';
import { startAgent } from './support.js';

const secret = 'the secret of this test';
const idOf = ({ port }: { port: number }) => `127.0.0.1:${port}`;

describe('a deployed server, which knows nothing new,', () => {
  test.each([
    ['without', {}],
    ['with', { PUBSUB_SECRET: secret }],
  ])('is sent what it always was, %s a secret of the service', async (_, env) => {
    const double = await startDouble();
    const service = await startStaged([double], { ...calm, ...env });
    const viewer = await watch(service);
    await double.open('a');
    await double.open('b c');
    await untilShown(viewer, { a: 1, 'b c': 1 });
    for (const room of ['a', 'b%20c']) {
      const stream = await watch(service, `/api/room/events?room=${room}`);
      await eventually(() => expect(stream.messages.length).toBeGreaterThan(0));
      await (await fetch(`${service.url}/api/room/servers?room=${room}`)).text();
    }
    await viewer.close();
    await eventually(() => expect(double.active).toBe(false));
    const kinds = double.requests.map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(kinds)].sort()).toEqual(['GET /api/room?id=a', 'PUT /api/dashboard']);
    for (const { body } of putsOf(double))
      expect(Object.keys(JSON.parse(body))).toEqual(['active', 'eventsUrl']);
  });

  test.each([
    ['no parameter', (port: number) => ({ env: { PUBSUB_PORT: `${port}` } })],
    ['its port alone', (port: number) => ({ port })],
  ])('is found by a start-up query with %s', async (_, about) => {
    const double = await startDouble();
    const { env = {}, port } = about(double.port) as { env?: object; port?: number };
    const service = await startStaged([], { ...calm, ...env });
    const viewer = await watch(service);
    await double.askAtStartup(service.url, port === undefined ? {} : { port });
    await untilServer(viewer, double.id, 'live');
    await double.open('r');
    await untilShown(viewer, { r: 1 });
  });
});

/** A service that knows only the port of a start-up query, as before there were agents. */
const asBefore = (path: string) => {
  const [before = '', query] = path.split('?');
  const port = new URLSearchParams(query).get('port');
  return `${before}?port=${port}`;
};

describe('an agent at a service that knows nothing new', () => {
  test('is counted exactly, although each renewal looks like a start', async () => {
    const service = await startStaged([], calm);
    const viewer = await watch(service);
    const { url, targets } = await startForwarder(service.url, asBefore);
    const often = { renewalMs: 20, renewalJitterMs: 5 };
    const { agent, connections, port } = await startAgent({ url }, often);
    await untilServer(viewer, `127.0.0.1:${port}`, 'live');
    for (let i = 1; i <= 20; i += 1) {
      const asked = targets.length;
      connections.set('r', i);
      agent.opened('r');
      await eventually(() => expect(targets.length).toBeGreaterThan(asked));
    }
    await untilShown(viewer, { r: 20 });
  });

  test('with a secret, is shown with the reason', async () => {
    const started = await startAgent({ secret });
    const service = await startStaged([{ id: idOf(started) }], {}, { isHurried: true });
    await eventually(async () =>
      expect(await serversOf(service)).toMatchObject([
        { lastFailure: expect.stringMatching(/^answered 401: The signature is missing/) },
      ]),
    );
  });
});

test('an agent without a secret works with a service that has one, if it is configured', async () => {
  const started = await startAgent();
  const service = await startStaged([{ id: idOf(started) }], { ...calm, PUBSUB_SECRET: secret });
  const viewer = await watch(service);
  await untilServer(viewer, idOf(started), 'live');
  started.connections.set('r', 1);
  started.agent.opened('r');
  await untilShown(viewer, { r: 1 });
});
