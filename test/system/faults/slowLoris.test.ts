import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { stateOf, untilState } from '../../support/stage.js';
import { calm, expectUnaffected, startWatched } from '../../support/watchedService.js';
import { operations, samplePath } from '../security/requests.js';
import { type Dialled, dial, viewerRequest } from './support/dial.js';

/** Sends a byte now and then, for as long as the connection lasts. */
function trickle({ socket }: Dialled, bytes: string, everyMs: number): void {
  let sent = 0;
  const timer = setInterval(() => {
    const byte = bytes[sent % bytes.length] ?? '';
    sent += 1;
    if (socket.writable) socket.write(byte);
  }, everyMs);
  socket.on('close', () => clearInterval(timer));
}

/** Sends a text byte by byte, each in a packet of its own. */
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

test('who sends byte by byte is served like anybody, if it comes to an end', async () => {
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

test('who is answered before the end of a body has no more time for it than others', async () => {
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
  await eventually(() => expect(open().map(({ request }) => request)).toEqual([]), {
    withinMs: 20_000,
  });
  await expectUnaffected(service, viewer, double);
  expect((await stateOf(service)).viewers).toBe(1);
});

test('who never comes to an end is shown the door in 10 s, and leaves no socket; nobody waits for them', async () => {
  const { double, service, viewer } = await startWatched({ ...calm, LINGER_MS: '0' });
  const crowd: { what: string; caller: Dialled }[] = [];
  const call = (what: string, beginning: string, rest: string) => {
    const caller = dial(service);
    caller.socket.write(beginning);
    trickle(caller, rest, 300);
    crowd.push({ what, caller });
  };
  const post = `POST ${target(double)} HTTP/1.1\r\nHost: a\r\n`;
  const begun = performance.now();
  for (let i = 0; i < 50; i += 1) {
    call('the head of a viewer', 'GET /api/events HTTP/1.1\r\nHost: a\r\nX-Slow: ', 'x');
    call('the first line of a post', '', post);
    call('the body of a post', `${post}Content-Length: 999\r\n\r\n`, '[ ');
  }
  await expectUnaffected(service, viewer, double);
  expect(performance.now() - begun).toBeLessThan(5000);
  const open = () => crowd.filter(({ caller }) => !caller.isClosed());
  await eventually(() => expect(open().map(({ what }) => what)).toEqual([]), {
    withinMs: 15_000,
  });
  const answers = crowd.map(({ caller }) => /^HTTP\/1\.1 \d+/.exec(caller.text())?.[0]);
  expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 408']));
  expect(viewer.rooms()).toEqual({ r: 2, after: 1 });
  await viewer.close();
  await untilState(service, 'inactive');
});
