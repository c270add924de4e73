import { hostname } from 'node:os';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { Signatures } from '../../../server/agent/signatures.js';
import { eventually } from '../../support/eventually.js';
import {
  activate,
  type FakeAnswer,
  type FakeDashboard,
  startFakeDashboard,
} from '../demo/support.js';
import { answerOf, queriesIn, startAgent } from './support.js';

let dashboard: FakeDashboard;

beforeEach(async () => {
  dashboard = await startFakeDashboard();
});

const eventsUrl = (token: string) => `${dashboard.url}/api/events?token=${token}`;
const queries = () => queriesIn(dashboard.received);
const renewals = () => queries().filter(({ renewal }) => renewal === 'true');
const often = { renewalMs: 20, renewalJitterMs: 5 };

describe('the start-up query', () => {
  test('tells port, name, run and capabilities', async () => {
    const { port } = await startAgent({ url: dashboard.url, name: 'web 1' });
    await eventually(() => expect(queries()).toHaveLength(1));
    expect(queries()[0]).toEqual({
      port: `${port}`,
      name: 'web 1',
      run: expect.stringMatching(/^[\w-]{12}$/),
      capabilities: 'names,rooms',
    });
  });

  test('has another run in each agent, and the name of the host by default', async () => {
    await startAgent({ url: dashboard.url });
    await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries()).toHaveLength(2));
    expect(new Set(queries().map(({ run }) => run)).size).toBe(2);
    expect(queries()[0]?.name).toBe(hostname());
  });

  test.each([
    ['web-1.example', { host: 'web-1.example' }],
    ['web-1.example:81', { host: 'web-1.example', port: '81' }],
    ['[2001:db8::1]:81', { host: '2001:db8::1', port: '81' }],
  ])('advertises %s', async (advertise, expected) => {
    const { port } = await startAgent({ url: dashboard.url, advertise });
    await eventually(() => expect(queries()[0]).toMatchObject({ port: `${port}`, ...expected }));
  });

  test.each(['http://web-1', 'a b:c', ''])(
    'advertises nothing if that is no host: %j',
    async (text) => {
      const { logged } = await startAgent({ url: dashboard.url, advertise: text });
      await eventually(() => expect(queries()[0]).not.toHaveProperty('host'));
      expect(logged).toContainEqual(expect.stringContaining('to advertise'));
    },
  );

  test('is signed with the first secret', async () => {
    await startAgent({ url: dashboard.url, secret: ['new', 'old'] });
    await eventually(() => expect(dashboard.received).toHaveLength(1));
    const { method = '', url: target = '', headers } = dashboard.received[0] ?? {};
    const host = headers?.host ?? '';
    const fault = await new Signatures(['new']).faultOf(
      headers?.['dashboard-signature'] as string,
      { method, host, target, body: '' },
      async () => host === new URL(dashboard.url).host,
    );
    expect(fault).toBeUndefined();
  });

  test('is repeated until it is answered, with one warning and one line for the end', async () => {
    dashboard.answer = () => ({ status: 502, body: '<html>' });
    const { agent, logged } = await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries().length).toBeGreaterThan(3));
    expect(renewals()).toEqual([]);
    dashboard.answer = answerOf(true, eventsUrl('a'));
    await eventually(() => expect(agent.activation().active).toBe(true));
    expect(logged).toEqual([
      expect.stringMatching(/^warn: .*no answer from http/),
      expect.stringMatching(/^info: .*registered with http/),
    ]);
  });

  test('goes to the next address if one does not answer', async () => {
    const { agent } = await startAgent({ url: ['http://127.0.0.1:1', `${dashboard.url}/`] });
    dashboard.answer = answerOf(true, eventsUrl('a'));
    await eventually(() => expect(agent.activation().eventsUrl).toBe(eventsUrl('a')));
  });

  test('follows no redirect', async () => {
    const other = await startFakeDashboard();
    dashboard.answer = () => ({ status: 302, body: '', headers: { location: other.url } });
    await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries().length).toBeGreaterThan(1));
    expect(other.received).toEqual([]);
  });

  test('changes nothing if a request of the dashboard overtakes its answer', async () => {
    let answerNow = () => {};
    dashboard.answer = undefined;
    dashboard.hold = (answer) => {
      answerNow = () => answer(answerOf(true, eventsUrl('old'))());
    };
    const { agent, port } = await startAgent({ url: dashboard.url }, often);
    await eventually(() => expect(queries()).toHaveLength(1));
    await activate(port, { active: true, eventsUrl: eventsUrl('new') });
    dashboard.hold = undefined;
    dashboard.answer = answerOf(true, eventsUrl('renewal'));
    answerNow();
    await eventually(() => expect(renewals().length).toBeGreaterThan(1));
    expect(agent.activation().eventsUrl).toBe(eventsUrl('new'));
  });
});

describe('a renewal', () => {
  test('tells what the agent does', async () => {
    const { port } = await startAgent({ url: dashboard.url }, often);
    await eventually(() =>
      expect(renewals()[0]).toMatchObject({ port: `${port}`, active: 'false' }),
    );
    expect(renewals()[0]).not.toHaveProperty('eventsUrl');
    dashboard.answer = answerOf(true, eventsUrl('other'));
    await activate(port, { active: true, eventsUrl: eventsUrl('a&b=%20') });
    await eventually(() =>
      expect(renewals().at(-1)).toMatchObject({ active: 'true', eventsUrl: eventsUrl('a&b=%20') }),
    );
  });

  test('never replaces the URL', async () => {
    dashboard.answer = answerOf(true, eventsUrl('of the query'));
    const { agent } = await startAgent({ url: dashboard.url }, often);
    await eventually(() => expect(renewals()).not.toEqual([]));
    dashboard.answer = answerOf(true, eventsUrl('of a renewal'));
    const before = renewals().length;
    await eventually(() => expect(renewals().length).toBeGreaterThan(before + 1));
    expect(agent.activation().eventsUrl).toBe(eventsUrl('of the query'));
  });

  test('activates an inactive agent, and ends an activation', async () => {
    const { agent } = await startAgent({ url: dashboard.url }, often);
    await eventually(() => expect(renewals()).not.toEqual([]));
    dashboard.answer = answerOf(true, eventsUrl('a'));
    await eventually(() => expect(agent.activation().eventsUrl).toBe(eventsUrl('a')));
    dashboard.answer = answerOf(false, eventsUrl('b'));
    await eventually(() => expect(agent.activation().active).toBe(false));
    agent.opened('r');
    await agent.settled();
    expect(dashboard.deltas()).toEqual([]);
  });

  test('that is not answered is retried, and logged once for each time', async () => {
    const { logged } = await startAgent({ url: dashboard.url }, often);
    await eventually(() => expect(logged).toHaveLength(1));
    const registered = expect.stringMatching(/^info: .*registered/);
    const unanswered = expect.stringMatching(/^warn: .*no answer/);
    for (const expected of [
      [registered, unanswered, registered],
      [registered, unanswered, registered, unanswered, registered],
    ]) {
      dashboard.answer = () => ({ status: 200, body: 'no JSON' });
      await eventually(() => expect(logged).toEqual(expected.slice(0, -1)));
      dashboard.answer = answerOf(false, eventsUrl(''));
      await eventually(() => expect(logged).toEqual(expected));
    }
  });
});

describe('a dashboard that forgot the server', () => {
  test('answers a post with 404, and is asked again at once', async () => {
    const { agent, port } = await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries()).toHaveLength(1));
    await activate(port, { active: true, eventsUrl: eventsUrl('old') });
    dashboard.answer = ({ url }) =>
      url.includes('old') ? { status: 404, body: '' } : answerOf(true, eventsUrl('new'))();
    agent.opened('r');
    await eventually(() => expect(agent.activation().eventsUrl).toBe(eventsUrl('new')));
    expect(renewals()).toEqual([]);
    agent.opened('r');
    await agent.settled();
    expect(dashboard.received.at(-1)?.url).toBe('/api/events?token=new');
  });

  test('is asked again if it refuses a post while it is being asked', async () => {
    let answerQuery: ((answer: FakeAnswer) => void) | undefined;
    dashboard.hold = (answer) => {
      answerQuery = answer;
    };
    dashboard.answer = ({ method }) => (method === 'POST' ? { status: 404, body: '' } : undefined);
    const { agent, port } = await startAgent({ url: dashboard.url });
    await eventually(() => expect(answerQuery).toBeDefined());
    await activate(port, { active: true, eventsUrl: eventsUrl('old') });
    agent.opened('r');
    await agent.settled();
    dashboard.answer = answerOf(true, eventsUrl('new'));
    answerQuery?.(answerOf(false, eventsUrl('late'))());
    await eventually(() => expect(agent.activation().eventsUrl).toBe(eventsUrl('new')));
  });

  test('is not asked again because of a post to an older URL', async () => {
    const { agent, port } = await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries()).toHaveLength(1));
    await activate(port, { active: true, eventsUrl: eventsUrl('old') });
    dashboard.answer = ({ url }) => ({ status: url.includes('old') ? 404 : 204, body: '' });
    agent.opened('r');
    await activate(port, { active: true, eventsUrl: eventsUrl('new') });
    await agent.settled();
    agent.opened('r');
    await agent.settled();
    expect(agent.activation().eventsUrl).toBe(eventsUrl('new'));
    expect(dashboard.deltas()).toHaveLength(2);
    expect(queries()).toHaveLength(1);
  });
});

describe('a dashboard that is away', () => {
  test('is asked again after three failed posts; until it answers deltas are dropped', async () => {
    const { agent, port } = await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries()).toHaveLength(1));
    await activate(port, { active: true, eventsUrl: eventsUrl('a') });
    dashboard.answer = () => ({ status: 503, body: '' });
    for (let post = 0; post < 5; post += 1) {
      agent.opened(`room-${post}`);
      await agent.settled();
    }
    expect(dashboard.deltas()).toHaveLength(3);
    await eventually(() => expect(queries().length).toBeGreaterThan(2));
    dashboard.answer = answerOf(true, eventsUrl('b'));
    await eventually(() => expect(agent.activation().eventsUrl).toBe(eventsUrl('b')));
    agent.opened('room-5');
    await agent.settled();
    expect(dashboard.deltas().slice(3)).toEqual([{ room: 'room-5', add: 1 }]);
    expect(renewals()).toEqual([]);
  });

  test('is not asked for another URL after its own request', async () => {
    const { agent, port } = await startAgent({ url: dashboard.url }, often);
    let answerQuery: ((answer: FakeAnswer) => void) | undefined;
    dashboard.hold = (answer) => {
      answerQuery = answer;
    };
    dashboard.answer = ({ method }) => (method === 'POST' ? { status: 503, body: '' } : undefined);
    await eventually(() => expect(answerQuery).toBeDefined());
    await activate(port, { active: true, eventsUrl: eventsUrl('a') });
    for (let post = 0; post < 3; post += 1) {
      agent.opened('r');
      await agent.settled();
    }
    await activate(port, { active: true, eventsUrl: eventsUrl('b') });
    const before = queries().length;
    dashboard.answer = answerOf(true, eventsUrl('c'));
    answerQuery?.(answerOf(true, eventsUrl('c'))());
    await eventually(() => expect(queries().length).toBeGreaterThan(before));
    expect(queries()[before]).toMatchObject({ renewal: 'true', eventsUrl: eventsUrl('b') });
    expect(agent.activation().eventsUrl).toBe(eventsUrl('b'));
  });

  test('gets renewals in place of start-up queries that fail, after its own request', async () => {
    dashboard.answer = () => ({ status: 503, body: '' });
    const { port } = await startAgent({ url: dashboard.url });
    await eventually(() => expect(queries().length).toBeGreaterThan(1));
    expect(renewals()).toEqual([]);
    await activate(port, { active: true, eventsUrl: eventsUrl('a') });
    await eventually(() => expect(renewals().length).toBeGreaterThan(2));
    const first = queries().findIndex(({ renewal }) => renewal === 'true');
    expect(queries().slice(first)).toEqual(renewals());
  });

  test('has deltas again with its next request', async () => {
    const { agent, port } = await startAgent();
    await activate(port, { active: true, eventsUrl: 'http://127.0.0.1:1/' });
    for (let post = 0; post < 4; post += 1) {
      agent.opened('r');
      await agent.settled();
    }
    await activate(port, { active: true, eventsUrl: eventsUrl('a') });
    agent.opened('r');
    await agent.settled();
    expect(dashboard.deltas()).toEqual([{ room: 'r', add: 1 }]);
  });
});
