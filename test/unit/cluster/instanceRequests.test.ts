import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { InstanceEvent } from '../../../server/cluster/instanceEvents.js';
import { InstanceRequests } from '../../../server/cluster/instanceRequests.js';
import { InstanceSignatures } from '../../../server/cluster/instanceSignatures.js';
import { clusterSecret } from '../../support/clusterNeeds.js';
import { eventually } from '../../support/eventually.js';
import { useHarness } from '../../support/harness.js';

const harness = useHarness();
const leader = new InstanceSignatures(clusterSecret, 'leader');
const requests = new InstanceRequests(new InstanceSignatures(clusterSecret, 'follower'));

afterEach(() => requests.close());

async function startPeer(listener: RequestListener, path = '') {
  const { url } = await harness.app(listener);
  return { instance: 'leader', url: url + path };
}

const headOf = ({ method = '', url: target = '' }: IncomingMessage) => ({ method, target });

/** Answers who sent a request, its target, and its body if that was signed. */
async function answerSigned(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const signed = leader.verify(String(req.headers['instance-signature']), headOf(req));
  const body = await readText(req);
  const { url, method } = req;
  res.setHeader('X-Test', 'yes');
  res.statusCode = 404;
  res.end(
    JSON.stringify({ sender: signed?.sender, url, method, body: signed?.isBody(body) && body }),
  );
}

describe('a request to another instance', () => {
  test('is signed, and brings back status, headers and body', async () => {
    const peer = await startPeer(answerSigned);
    const answer = await requests.ask(peer, '/api/x', { method: 'POST', body: 'grüße' });
    expect(answer.status).toBe(404);
    expect(answer.headers['x-test']).toBe('yes');
    expect(JSON.parse(answer.body)).toEqual({
      sender: 'follower',
      url: '/api/x',
      method: 'POST',
      body: 'grüße',
    });
  });

  test.each([`/api/rooms/a%41'"<b>//../c?room=%2e%2E&x='`, '/api/rooms/', '/?'])(
    'has the path as given: %s',
    async (path) => {
      const peer = await startPeer(answerSigned);
      const { body } = await requests.ask(peer, path);
      expect(JSON.parse(body)).toMatchObject({ sender: 'follower', url: path });
    },
  );

  test('goes below the path of the URL, which a proxy takes away again', async () => {
    const peer = await startPeer((req, res) => {
      req.url = req.url?.replace('/sub', '');
      void answerSigned(req, res);
    }, '/sub');
    const { body } = await requests.ask(peer, '/api/x');
    expect(JSON.parse(body)).toMatchObject({ sender: 'follower', url: '/api/x' });
  });

  test('reaches an IPv6 address', async () => {
    const server = createServer(answerSigned);
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
    const { port } = server.address() as AddressInfo;
    const peer = { instance: 'leader', url: `http://[::1]:${port}` };
    const { body } = await requests.ask(peer, '/api/x');
    server.close();
    expect(JSON.parse(body)).toMatchObject({ sender: 'follower', url: '/api/x' });
  });

  test('fails when the answer does not begin, or does not end, in time', async () => {
    const timeoutMs = 50;
    const silent = await startPeer(() => {});
    await expect(requests.ask(silent, '/', { timeoutMs })).rejects.toThrow(
      'no answer within 50 ms',
    );
    const endless = await startPeer((_req, res) => res.write('a'));
    await expect(requests.ask(endless, '/', { timeoutMs })).rejects.toThrow(
      'no answer within 50 ms',
    );
  });

  test('fails without its signature in the error when nobody listens', async () => {
    const peer = { instance: 'leader', url: 'http://127.0.0.1:1' };
    const error = await requests.ask(peer, '/').catch((reason: unknown) => reason);
    expect(String(error)).toBe('Error: connect ECONNREFUSED 127.0.0.1:1');
    expect(Object.keys(error as Error)).toEqual([]);
  });

  test('fails when its signal aborts, and leaves no connection', async () => {
    let socket: IncomingMessage['socket'] | undefined;
    const peer = await startPeer((req) => {
      socket = req.socket;
    });
    const stopping = new AbortController();
    const asked = requests.ask(peer, '/', { signal: stopping.signal });
    const closed = eventually(() => expect(socket).toBeDefined()).then(
      () => socket && once(socket, 'close'),
    );
    await eventually(() => expect(socket).toBeDefined());
    stopping.abort();
    await expect(asked).rejects.toThrow();
    await closed;
  });

  test('does not follow a redirect', async () => {
    const peer = await startPeer((_req, res) => res.writeHead(302, { Location: '/other' }).end());
    expect((await requests.ask(peer, '/')).status).toBe(302);
  });
});

describe('an event stream of another instance', () => {
  /** Follows a stream; what it tells, in order. */
  function follow(peer: { instance: string; url: string }, idleMs?: number) {
    const told: (InstanceEvent | string)[] = [];
    const stream = requests.stream(
      peer,
      '/api/instances/events',
      {
        onOpen: () => told.push('open'),
        onEvent: (event) => told.push(event),
        onEnd: (cause) => told.push(`end: ${cause}`),
      },
      { ...(idleMs !== undefined && { idleMs }), headers: { 'Last-Event-ID': '3' } },
    );
    return { told, stream };
  }

  const sse = { 'Content-Type': 'text/event-stream' };

  test('brings every event whole, then its end', async () => {
    const text = 'event: a\nid: 1\ndata: {"x":"ü"}\n\n:\n\ndata: two\n\n';
    const peer = await startPeer((req, res) => {
      expect(req.headers['last-event-id']).toBe('3');
      res.writeHead(200, sse);
      const bytes = Buffer.from(text);
      // In the middle of a character.
      const at = bytes.indexOf(0xc3) + 1;
      res.write(bytes.subarray(0, at), () => res.end(bytes.subarray(at)));
    });
    const { told } = follow(peer);
    await eventually(() => expect(told).toHaveLength(4));
    expect(told).toEqual([
      'open',
      { name: 'a', id: '1', data: '{"x":"ü"}' },
      { name: 'message', id: '', data: 'two' },
      'end: the stream ended',
    ]);
  });

  test('ends with the status of a refusal', async () => {
    const { told } = follow(await startPeer((_req, res) => res.writeHead(403).end('no')));
    await eventually(() => expect(told).toEqual(['end: answered 403']));
  });

  test('ends when it is cut, and when nobody listens', async () => {
    const peer = await startPeer((_req, res) => {
      res.writeHead(200, sse).write('data: x\n\n', () => res.destroy());
    });
    const { told } = follow(peer);
    await eventually(() => expect(told.at(-1)).toMatch(/^end: /));
    const nowhere = follow({ instance: 'leader', url: 'http://127.0.0.1:1' });
    await eventually(() => expect(nowhere.told.at(-1)).toMatch(/^end: .*ECONNREFUSED/));
  });

  test('ends when it is silent for too long', async () => {
    const peer = await startPeer((_req, res) => void res.writeHead(200, sse).write(':\n\n'));
    const { told } = follow(peer, 50);
    await eventually(() => expect(told).toEqual(['open', 'end: silent for 50 ms']));
  });

  test('is closed at once, and then tells nothing more', async () => {
    let socket: IncomingMessage['socket'] | undefined;
    const peer = await startPeer((req, res) => {
      socket = req.socket;
      res.writeHead(200, sse).write('data: x\n\n');
    });
    const { told, stream } = follow(peer);
    await eventually(() => expect(told).toHaveLength(2));
    stream.close();
    await eventually(() => expect(socket?.destroyed).toBe(true));
    expect(told).toHaveLength(2);
  });
});
