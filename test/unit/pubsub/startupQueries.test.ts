import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { tokenIn } from '../../../server/pubsub/eventTokens.js';
import type { StartupQuery } from '../../../server/pubsub/startupQuery.js';
import { serverIds } from '../machines/support/scriptedFleet.js';
import type { LeadingReceiver } from './support/leadingReceiver.js';
import { type LeaderOptions, startLeaders } from './support/startLeaders.js';

const [server = '' as ServerId, other = '' as ServerId] = serverIds(2);
const [host = ''] = server.split(':');
const newcomer = '10.9.0.1:8001' as ServerId;
const inactive = { active: false, eventsUrl: 'http://10.0.0.5:8000/api/events' };

const lead = startLeaders();
let world: LeadingReceiver;
const start = (options: Partial<LeaderOptions> = {}) => {
  world = lead({ servers: [server, other], begins: 'lingering', ...options });
  settle();
};
/** Until requests of now have been answered. */
const settle = () => world.advance(100);

const requestsTo = (id: ServerId) =>
  world.fleet.requests.filter((request) => request.server === id).map(({ type }) => type);
const asked = () => [server, other].map((id) => requestsTo(id).length);

/** Asks as the server at this address, and waits until what follows has happened. */
function ask(address: string, change: Partial<StartupQuery> = {}) {
  const query = { address, isForwarded: false, ...change };
  const { answer, afterwards } = world.receiver.answerStartup(query);
  afterwards();
  settle();
  return answer;
}
const claimsOf = ({ eventsUrl }: { eventsUrl: string }) => world.tokens.read(tokenIn(eventsUrl));

describe('while somebody watches, a start-up query', () => {
  beforeEach(() => start());

  test('of a known server is answered with a URL of its own, and has it asked again', () => {
    const answer = ask(host, { port: 8001 });
    expect(answer.active).toBe(true);
    expect(claimsOf(answer)).toMatchObject({ kind: 'server', server, fromStartup: true });
    expect(asked()).toEqual([2, 1]);
  });

  test('without a port is that of the server at its address', () => {
    expect(claimsOf(ask(host))).toMatchObject({ kind: 'server', server });
    expect(asked()).toEqual([2, 1]);
  });

  test('of an unknown server has it asked', () => {
    expect(claimsOf(ask('10.9.0.1'))).toMatchObject({ kind: 'server', server: newcomer });
    expect(requestsTo(newcomer)).toEqual(['activity.requested']);
    expect(world.newcomers).toMatchObject([{ address: '10.9.0.1' }]);
  });

  test('of another port at a known address is that of another server', () => {
    const another = `${host}:9000` as ServerId;
    expect(claimsOf(ask(host, { port: 9000 }))).toMatchObject({ server: another });
    expect([requestsTo(another).length, ...asked()]).toEqual([1, 1, 1]);
  });

  test('from an address outside of the networks of servers is told to be silent, and nobody is asked', () => {
    expect(ask('192.0.2.1')).toEqual(inactive);
    expect([asked(), world.fleet.roster.size, world.newcomers]).toEqual([[1, 1], 2, []]);
  });

  test('from such an address is answered with silence even if a server there was configured', () => {
    world.close();
    start({ servers: ['192.0.2.1:8001' as ServerId] });
    expect(ask('192.0.2.1')).toEqual(inactive);
    expect(world.fleet.requests).toHaveLength(1);
  });

  test('through a proxy may be that of any server, so all are asked again', () => {
    const answer = ask('10.9.0.9', { isForwarded: true });
    expect(claimsOf(answer)).toEqual({ kind: 'address', address: '' });
    expect([answer.active, asked(), world.newcomers]).toEqual([true, [2, 2], []]);
  });

  test('that a web page may have sent is answered with a URL that counts nothing', () => {
    const answer = ask(host, { port: 8001, isMisnamed: true });
    expect(claimsOf(answer)).toEqual({ kind: 'address', address: host });
    expect(asked()).toEqual([2, 1]);
  });

  test('of a known server leaves nothing for the next leader', () => {
    ask(host);
    expect(world.newcomers).toEqual([]);
  });
});

describe('several servers at one address', () => {
  const [first, second] = ['10.0.0.7:8001', '10.0.0.7:8002'] as [ServerId, ServerId];
  const counts = () => [first, second].map((id) => requestsTo(id).length);
  beforeEach(() => start({ servers: [first, second] }));

  test('are all asked after a query without a port, whose URL names the address alone', () => {
    expect(claimsOf(ask('10.0.0.7'))).toEqual({ kind: 'address', address: '10.0.0.7' });
    expect(counts()).toEqual([2, 2]);
  });

  test('are told apart by the port', () => {
    expect(claimsOf(ask('10.0.0.7', { port: 8002 }))).toMatchObject({ server: second });
    expect(counts()).toEqual([1, 2]);
  });
});

describe('a host that the sender has shown to be its own', () => {
  const advertised = (...addresses: string[]) => ({ host: 'web-1', addresses });
  const named = 'web-1:8001' as ServerId;

  test('names a new server, even through a proxy', () => {
    start();
    const answer = ask('10.9.0.9', { isForwarded: true, advertised: advertised('10.9.0.1') });
    expect(claimsOf(answer)).toMatchObject({ kind: 'server', server: named });
    expect(requestsTo(named)).toEqual(['activity.requested']);
    expect(asked()).toEqual([1, 1]);
  });

  test('is that of a known server', () => {
    start({ servers: [named] });
    expect(claimsOf(ask('192.0.2.1', { advertised: advertised() }))).toMatchObject({
      server: named,
    });
    expect(requestsTo(named)).toHaveLength(2);
  });

  test('is that of a server which is known by its address', () => {
    start();
    const answer = ask(host, { port: 8001, advertised: advertised(host) });
    expect(claimsOf(answer)).toMatchObject({ server });
    expect([asked(), world.fleet.roster.size]).toEqual([[2, 1], 2]);
  });

  test('is another server if the port is another', () => {
    start();
    const answer = ask(host, { port: 9000, advertised: advertised(host) });
    expect(claimsOf(answer)).toMatchObject({ server: 'web-1:9000' });
    expect(asked()).toEqual([1, 1]);
  });

  test('may have one address that may be contacted among others', () => {
    start();
    const answer = ask('10.9.0.9', { advertised: advertised('192.0.2.1', '10.9.0.1') });
    expect(claimsOf(answer)).toMatchObject({ server: named });
  });

  test('where nothing may be contacted is answered with silence', () => {
    start();
    expect(ask('10.9.0.9', { advertised: advertised('192.0.2.1') })).toEqual(inactive);
    expect(world.fleet.roster.size).toBe(2);
  });
});

describe('while nobody watches, a query', () => {
  const runs = new Map([[server, 'a']]);
  beforeEach(() => start({ begins: 'silencing', runOf: (id) => runs.get(id) }));
  const renewal = { isActive: true };

  test.each<[string, number, Partial<StartupQuery>]>([
    ['of a silent server needs nothing', 1, {}],
    ['of the same process needs nothing', 1, { run: 'a' }],
    ['of another process has it silenced again', 2, { run: 'b' }],
    ['of a server that posts has it silenced again', 2, { renewal, run: 'a' }],
    ['through a proxy needs nothing', 1, { isForwarded: true, run: 'b' }],
  ])('%s', (_, count, change) => {
    expect(ask(host, change).active).toBe(false);
    expect(requestsTo(server)).toEqual(Array(count).fill('silence.requested'));
    expect(requestsTo(other)).toHaveLength(1);
  });

  test('of an unknown server has it silenced', () => {
    ask('10.9.0.1');
    expect(requestsTo(newcomer)).toEqual(['silence.requested']);
  });
});

test('while nobody watches, a query through a proxy needs nothing even if only one server is known', () => {
  start({ begins: 'silencing', servers: [server] });
  ask(host, { isForwarded: true, run: 'b' });
  expect(requestsTo(server)).toEqual(['silence.requested']);
});

test('a query is answered with a URL as soon as somebody watches, before all servers have answered', () => {
  start({ begins: 'silencing' });
  world.fleet.connect();
  expect(world.fleet.state).toBe('activating');
  expect(ask(host).active).toBe(true);
});

test('while nobody watches, a query from an address with several servers needs nothing', () => {
  const [first, second] = ['10.0.0.7:8001', '10.0.0.7:8002'] as [ServerId, ServerId];
  start({ begins: 'silencing', servers: [first, second] });
  expect(ask('10.0.0.7', { run: 'b' }).active).toBe(false);
  expect(world.fleet.requests).toHaveLength(2);
});

describe('a renewal', () => {
  beforeEach(() => start());
  const renew = (claims: object, isActive = true) => {
    const epoch = world.fleet.tally.baseOf(server) as Epoch;
    const all = { kind: 'server', server, epoch, fromStartup: false, ...claims } as const;
    const eventsUrl = `http://a/api/events?token=${world.tokens.mint(all)}`;
    return { eventsUrl, renewal: { isActive, eventsUrl } };
  };

  test('of a server that posts as it should is confirmed with its URL, wherever it comes from', () => {
    const { eventsUrl, renewal } = renew({});
    expect(ask('192.0.2.1', { renewal })).toEqual({ active: true, eventsUrl });
    expect(asked()).toEqual([1, 1]);
  });

  test.each([
    ['that does not post', {}, false],
    ['with an older URL', { epoch: 0 as Epoch }, true],
  ])('of a server %s has it asked again', (_, claims, isActive) => {
    const { renewal } = renew(claims, isActive);
    expect(claimsOf(ask('192.0.2.1', { renewal }))).toMatchObject({ server, fromStartup: true });
    expect(asked()).toEqual([2, 1]);
  });

  test('through a proxy names its server all the same', () => {
    const { renewal } = renew({}, false);
    const answer = ask('10.9.0.9', { renewal, isForwarded: true });
    expect(claimsOf(answer)).toMatchObject({ kind: 'server', server });
    expect(asked()).toEqual([2, 1]);
  });

  test('of a server that is not known any more is answered by its address', () => {
    const { renewal } = renew({ server: newcomer });
    expect(ask('192.0.2.1', { renewal })).toEqual(inactive);
  });
});

test('a renewal of a server that does not answer any more has it asked again', () => {
  start();
  const epoch = world.fleet.tally.baseOf(server) as Epoch;
  const token = world.tokens.mint({ kind: 'server', server, epoch, fromStartup: false });
  const renewal = { isActive: true, eventsUrl: `http://a/api/events?token=${token}` };
  world.fleet.behaviours.set(server, 'fail');
  world.fleet.actor.send({ type: 'evidence.found', servers: [server] });
  settle();
  expect(world.fleet.status(server)).toBe('stale');
  world.fleet.behaviours.clear();
  expect(claimsOf(ask(host, { renewal }))).toMatchObject({ fromStartup: true });
});
