import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { calm, stateOf, untilState } from '../../support/stage.js';
import { expectUnaffected, startWatched } from '../../support/watchedService.js';
import { operations, samplePath } from '../../system/security/requests.js';
import { type Dialled, dial, viewerRequest } from './support/dial.js';

/** Sends a byte at this interval until the connection closes. */
function trickle({ socket }: Dialled, bytes: string, everyMs: number): void {
  let sent = 0;
  const timer = setInterval(() => {
    const byte = bytes[sent % bytes.length] ?? '';
    sent += 1;
    if (socket.writable) socket.write(byte);
  }, everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** Sends a text with one byte in each packet. */
async function dribble({ socket }: Dialled, text: string): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of text) {
    await new Promise((resolve) => socket.write(byte, resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const target = ({ eventsUrl = '' }: { eventsUrl: string | undefined }) => {
  const { pathname, search } = new URL(eventsUrl);
  return pathname + search;
};

test('requests that arrive byte by byte are served', async () => {
  const { double, service, viewer } = await startWatched();
  const [slowViewer, slowPoster] = [dial(service), dial(service)];
  const delta = '{"room":"slow","add":1}';
  await Promise.all([
    dribble(slowViewer, viewerRequest()),
    dribble(
      slowPoster,
      `POST ${target(double)} HTTP/1.1\r\nHost: a\r\nContent-Length: ${delta.length}\r\n\r\n${delta}`,
    ),
  ]);
  await eventually(() => expect(slowPoster.text()).toContain('HTTP/1.1 204'));
  await eventually(() => expect(viewer.rooms()).toEqual({ r: 2, slow: 1 }));
  await eventually(() => expect(slowViewer.text()).toContain('{"r":2,"slow":1}'));
  expect((await stateOf(service)).viewers).toBe(2);
});

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'];
/** Every method at every path of the description. */
const everyRequest = [...new Set(operations.map((each) => samplePath(each)))].flatMap((path) =>
  methods.map((method) => ({ method, path })),
);

test('a body that is answered before its end has no more time than others', async () => {
  const { double, service, viewer } = await startWatched({ ...calm, LINGER_MS: '0' });
  const requests = [
    `POST ${target(double)} HTTP/1.1\r\nContent-Encoding: gzip`,
    'POST /api/events?token=unknown HTTP/1.1',
    'POST /nothing HTTP/1.1',
    'POST /api/session HTTP/1.1\r\nContent-Type: text/plain',
    ...everyRequest.map(({ method, path }) => `${method} ${path} HTTP/1.1`),
  ];
  const bodies = [
    { length: 'Content-Length: 999', rest: '[ ' },
    { length: 'Transfer-Encoding: chunked', rest: '1\r\n \r\n' },
  ];
  const crowd = requests.flatMap((request) =>
    bodies.map(({ length, rest }) => {
      const caller = dial(service);
      caller.socket.write(`${request}\r\nHost: localhost\r\n${length}\r\n\r\n`);
      trickle(caller, rest, 300);
      return { request, caller };
    }),
  );
  const unanswered = () => crowd.filter(({ caller }) => !caller.text().startsWith('HTTP/1.1 '));
  const open = () => crowd.filter(({ caller }) => !caller.isClosed());
  await eventually(() => expect(unanswered().map(({ request }) => request)).toEqual([]));
  await eventually(() => expect(open().map(({ request }) => request)).toEqual([]));
  await expectUnaffected(service, viewer, double);
  expect((await stateOf(service)).viewers).toBe(1);
});

test('requests that never end are refused after 10 s, leave no socket, and delay nobody', async () => {
  const { double, service, viewer } = await startWatched({ ...calm, LINGER_MS: '0' });
  const crowd: { what: string; caller: Dialled }[] = [];
  const call = (what: string, beginning: string, rest: string) => {
    const caller = dial(service);
    caller.socket.write(beginning);
    trickle(caller, rest, 300);
    crowd.push({ what, caller });
  };
  const post = `POST ${target(double)} HTTP/1.1\r\nHost: a\r\n`;
  for (let i = 0; i < 50; i += 1) {
    call('the head of a viewer', 'GET /api/events HTTP/1.1\r\nHost: a\r\nX-Slow: ', 'x');
    call('the first line of a post', '', post);
    call('the body of a post', `${post}Content-Length: 999\r\n\r\n`, '[ ');
  }
  await expectUnaffected(service, viewer, double);
  const open = () => crowd.filter(({ caller }) => !caller.isClosed());
  // The connection was counted while these still sent.
  expect(open()).not.toEqual([]);
  await eventually(() => expect(open().map(({ what }) => what)).toEqual([]));
  const answers = crowd.map(({ caller }) => /^HTTP\/1\.1 \d+/.exec(caller.text())?.[0]);
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 408']));
  expect(viewer.rooms()).toEqual({ r: 2, after: 1 });
  await viewer.close();
  await untilState(service, 'inactive');
});
