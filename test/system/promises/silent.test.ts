import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { connectTo, nth, sharedFleet, untilTrue } from '../../support/fleet.js';
import { startRelay } from '../../support/relay.js';
import {
  activationsOf,
  letProbesPass,
  noResync,
  patient,
  post,
  recover,
  startDouble,
  startStaged,
  untilShown,
  untilState,
  watch,
  wishesOf,
} from '../../support/stage.js';

/** Very short intervals of probes and resyncs. A request that timed out would be sent again. */
const eager = { PROBE_INTERVAL_MS: '20', RESYNC_INTERVAL_MS: '20', ...patient };

describe('promise 1, silent by default: without a viewer', () => {
  test('a server is told once to be silent, and asked for nothing else', async () => {
    const double = await startDouble();
    await startStaged([double], eager);
    await letProbesPass(10, eager);
    expect(double.requests).toHaveLength(1);
    expect(wishesOf(double)).toMatchObject([{ active: false }]);
  });

  test('a server that never answers is told five times, and then not asked again', async () => {
    const double = await startDouble();
    double.respond({ kind: 'status' });
    await startStaged([double], eager);
    await letProbesPass(10, eager);
    expect(wishesOf(double).map(({ active }) => active)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(double.requests).toHaveLength(5);
  });

  test('after the last viewer has left every server is told once to be silent, and asked for nothing else', async () => {
    const doubles = [await startDouble(), await startDouble()];
    const service = await startStaged(doubles, eager);
    const [first, second] = [await watch(service), await watch(service)];
    await untilState(service, 'watched');
    await first.close();
    await second.close();
    await untilState(service, 'inactive');
    const before = doubles.map(({ requests }) => requests.length);
    await letProbesPass(10, eager);
    expect(doubles.map(({ requests }) => requests.length)).toEqual(before);
    for (const double of doubles) {
      expect(double.active).toBe(false);
      expect(wishesOf(double).filter(({ active }) => !active)).toHaveLength(2);
    }
  });

  test('a server that posts while silent is told again, and posts no more', async () => {
    const double = await startDouble();
    const service = await startStaged([double], noResync);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    const { eventsUrl } = double;
    await viewer.close();
    await untilState(service, 'inactive');
    // As if another service had activated it. The token is valid.
    double.active = true;
    double.eventsUrl = eventsUrl;
    expect(await double.open('r')).toEqual({ status: 204 });
    await eventually(() => expect(double.active).toBe(false));
    expect(await double.open('r')).toEqual({ lost: 'not active' });
    expect(activationsOf(double)).toBe(1);
  });

  test('a start-up query is answered with `active: false`, and nothing is sent to the server', async () => {
    const double = await startDouble();
    const service = await startStaged([double], patient);
    const answer = await double.askAtStartup(service.url, { port: double.port });
    expect(answer.active).toBe(false);
    await letProbesPass(3, eager);
    expect(double.requests).toHaveLength(1);
  });

  test('a server that failed to be silenced is told again when it posts', async () => {
    const double = await startDouble();
    const service = await startStaged([double]);
    const viewer = await watch(service);
    await untilState(service, 'watched');
    double.respond({ kind: 'reset' });
    await viewer.close();
    await untilState(service, 'inactive');
    recover(double);
    expect(await double.open('r')).toEqual({ status: 204 });
    await eventually(() => expect(double.active).toBe(false));
  });
});

describe('promise 1, silent by default: real servers', () => {
  const fleet = sharedFleet(2);

  test('servers post while there is a viewer, and no delta after they were told to be silent', async () => {
    const relay = await startRelay();
    const service = await startStaged(fleet, relay.env);
    const unseen = await connectTo(nth(fleet, 0), 'silent');
    const viewer = await watch(service);
    await untilShown(viewer, { silent: 1 });
    const seen = await connectTo(nth(fleet, 1), 'silent');
    await untilShown(viewer, { silent: 2 });
    expect(relay.seen).toEqual([{ room: 'silent', add: 1 }]);
    await viewer.close();
    await untilState(service, 'inactive');
    await unseen.close();
    await seen.close();
    // They would post these deltas before they answer the next activation.
    const next = await watch(service);
    await connectTo(nth(fleet, 0), 'later');
    await connectTo(nth(fleet, 1), 'later');
    await untilShown(next, { later: 2 });
    expect(relay.seen.filter(({ room }) => room === 'silent')).toHaveLength(1);
    await untilTrue(next, fleet);
  });

  test('posts and start-up queries of strangers activate no server', async () => {
    const relay = await startRelay();
    const service = await startStaged(fleet, relay.env);
    await post(`${service.url}/api/events?token=x`, '{"room":"a","add":1}');
    await fetch(`${service.url}/api/events/clients`);
    await connectTo(nth(fleet, 0), 'r');
    await letProbesPass(3, eager);
    expect(relay.seen).toEqual([]);
    await untilState(service, 'inactive');
  });
});
