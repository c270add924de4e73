import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import type { Epoch, ServerId } from '../../../machines/ports.js';
import { notLeading } from '../../../server/pubsub/pubSubHttp.js';
import {
  createServerRequests,
  PubSubServers,
  type PubSubServersNeeds,
} from '../../../server/pubsub/pubSubServers.js';
import { RequestPacer } from '../../../server/pubsub/requestPacer.js';
import { eventually } from '../../support/eventually.js';
import { startLateListener } from '../../support/lateListener.js';

const epoch = 7 as Epoch;
const never = new AbortController().signal;
const stops: (() => unknown)[] = [];
let mayAct: boolean;
let asked: number;
let events: string[];

beforeEach(() => {
  mayAct = true;
  asked = 0;
  events = [];
});
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const serversWith = (needs: Partial<PubSubServersNeeds> = {}) => {
  const servers = new PubSubServers({
    requestTimeoutMs: 20_000,
    maxSnapshotBytes: 10_000,
    eventsUrl: () => 'http://127.0.0.1:1/api/events?token=t',
    contentUrl: () => 'http://127.0.0.1:1/api/events?token=c',
    mayContact: () => true,
    onResolved: () => {},
    onHeard: () => {},
    onSnapshot: () => {},
    noteAgent: () => {},
    snapshotLimits: { maxRooms: 1000, maxNamesLength: 10_000 },
    isProven: () => true,
    mayAct: () => {
      asked += 1;
      return mayAct;
    },
    ...needs,
  });
  stops.push(() => servers.close());
  return servers;
};

/** A server that takes requests, answers none, and notes how their connections end. */
async function startSilentServer(): Promise<{ id: ServerId; server: Server; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((req) => {
    req.on('data', (data) => requests.push(String(data)));
    req.on('error', () => {});
  });
  server.on('connection', (socket) => {
    events.push('connected');
    socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? error.message));
    socket.on('end', () => events.push('end'));
  });
  server.on('clientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const id = `127.0.0.1:${(server.address() as AddressInfo).port}` as ServerId;
  return { id, server, requests };
}

const commands: [string, (servers: PubSubServers, server: ServerId) => Promise<unknown>][] = [
  ['an activation', (servers, server) => servers.activate(server, epoch, never)],
  ['an instruction to be silent', (servers, server) => servers.silence(server, epoch, never)],
  ['a list of rooms', (servers, server) => servers.watchRooms(server, ['a'], { signal: never })],
];

describe.each(commands)('%s to a server that accepts late', (_name, send) => {
  test('is not sent if the lease has ended meanwhile', async () => {
    const listener = await startLateListener();
    stops.push(listener.stop);
    const sending = send(serversWith(), `127.0.0.1:${listener.port}` as ServerId);
    const refused = expect(sending).rejects.toThrow(notLeading);
    await eventually(() => expect(asked).toBe(1));
    mayAct = false;
    listener.accept();
    await refused;
    expect(asked).toBe(2);
    expect(await listener.receivedBefore('a later connection')).toBe('');
  });

  test('is sent if the lease is still held', async () => {
    const listener = await startLateListener();
    stops.push(listener.stop);
    const sending = send(serversWith(), `127.0.0.1:${listener.port}` as ServerId);
    const ended = expect(sending).rejects.toThrow('stopped');
    listener.accept();
    await eventually(async () => expect(await listener.receivedBefore('x')).toContain('PUT /api'));
    for (const stop of stops.splice(1)) await stop();
    await ended;
  });
});

test('nothing is begun without the lease', async () => {
  const { id } = await startSilentServer();
  mayAct = false;
  const servers = serversWith();
  for (const [, send] of commands) await expect(send(servers, id)).rejects.toThrow(notLeading);
  expect(events).toEqual([]);
});

test('a probe needs no lease, because it changes nothing', async () => {
  const { id } = await startSilentServer();
  mayAct = false;
  const probe = serversWith().probe(id, never);
  probe.catch(() => {});
  await eventually(() => expect(events).toEqual(['connected']));
  expect(asked).toBe(0);
});

describe('at the end of the lease, closing ends at once', () => {
  test('a request that waits for its answer: its connection is reset', async () => {
    const { id, requests } = await startSilentServer();
    const servers = serversWith();
    const sending = servers.activate(id, epoch, never);
    const stopped = expect(sending).rejects.toThrow('stopped');
    await eventually(() => expect(requests).toHaveLength(1));
    servers.close();
    await stopped;
    await eventually(() => expect(events).toEqual(['connected', 'ECONNRESET']));
  });

  test('a request that is connecting: it is not sent when the server accepts', async () => {
    const listener = await startLateListener();
    stops.push(listener.stop);
    const servers = serversWith();
    const sending = servers.silence(`127.0.0.1:${listener.port}` as ServerId, epoch, never);
    const stopped = expect(sending).rejects.toThrow('stopped');
    await eventually(() => expect(asked).toBe(1));
    await pause(20);
    servers.close();
    await stopped;
    listener.accept();
    // Longer than the system waits before it tries to connect again.
    await pause(1500);
    expect(await listener.receivedBefore('a later connection')).toBe('');
  });

  test('a request that resolves a name: it does not connect', async () => {
    const { id } = await startSilentServer();
    let resolve: ((error: null, found: object[]) => void) | undefined;
    const lookup = (_name: string, _options: object, done: typeof resolve) => {
      resolve = done;
    };
    const servers = serversWith({ lookup: lookup as never });
    const sending = servers.silence(`a.example:${id.split(':')[1]}` as ServerId, epoch, never);
    const stopped = expect(sending).rejects.toThrow('stopped');
    await eventually(() => expect(resolve).toBeDefined());
    servers.close();
    await stopped;
    resolve?.(null, [{ address: '127.0.0.1', family: 4 }]);
    await pause(100);
    expect(events).toEqual([]);
  });

  test('a request whose lease is being renewed: it is not begun', async () => {
    const { id } = await startSilentServer();
    let renewed = () => {};
    const servers = serversWith({
      renewLease: () =>
        new Promise<void>((resolve) => {
          renewed = resolve;
        }),
    });
    const sending = servers.silence(id, epoch, never);
    const stopped = expect(sending).rejects.toThrow('stopped');
    servers.close();
    renewed();
    await stopped;
    expect(events).toEqual([]);
  });

  test('requests that wait for a slot, and those that follow', async () => {
    const { id, requests } = await startSilentServer();
    const servers = serversWith();
    const requestsOf = createServerRequests(servers, new RequestPacer({ slots: 1, slotMs: 5000 }));
    const actors = [1, 2, 3].map(() => createActor(requestsOf, { input: { server: id } }).start());
    stops.push(() => actors.map((actor) => actor.stop()));
    for (const actor of actors) actor.send({ type: 'silence.requested', epoch });
    await eventually(() => expect(requests).toHaveLength(1));
    servers.close();
    await expect(servers.silence(id, epoch, never)).rejects.toThrow('stopped');
    await eventually(() => expect(events).toEqual(['connected', 'ECONNRESET']));
    await pause(100);
    expect(events).toEqual(['connected', 'ECONNRESET']);
  });
});

describe('an instruction to be silent', () => {
  test('is sent after a renewal of the lease, and not after one that failed', async () => {
    const { id, requests } = await startSilentServer();
    let isHeld = false;
    const servers = serversWith({
      renewLease: async () => {
        if (!isHeld) throw new Error('the lease could not be renewed');
      },
    });
    await expect(servers.silence(id, epoch, never)).rejects.toThrow('could not be renewed');
    expect(events).toEqual([]);
    isHeld = true;
    servers.silence(id, epoch, never).catch(() => {});
    await eventually(() => expect(requests).toHaveLength(1));
  });

  test('alone needs a renewal', async () => {
    const { id, requests } = await startSilentServer();
    const servers = serversWith({
      renewLease: () => Promise.reject(new Error('the lease could not be renewed')),
    });
    servers.activate(id, epoch, never).catch(() => {});
    await eventually(() => expect(requests).toHaveLength(1));
  });
});
