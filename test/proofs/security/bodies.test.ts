/** Unusual bodies: in chunks of one byte, with trailers, with chunk extensions. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GatheredBytes } from '../../../server/http/guards/gatheredBytes.js';
import { openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { calm, startDouble, startStaged, visits } from '../../support/stage.js';
import { expectUnaffected, startWatched } from '../../support/watchedService.js';
import { operations, samplePath } from '../../system/security/requests.js';
import { type Dialled, dial } from '../faults/support/dial.js';

test('gathered chunks have the bytes that were received', () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc.integer({ min: 0, max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
  );
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const gathered = new GatheredBytes();
      for (const each of chunks) gathered.add(Buffer.from(each));
      const all = Buffer.concat(chunks);
      expect(gathered.length).toBe(all.length);
      expect(gathered.bytes().equals(all)).toBe(true);
    }),
  );
});

/** Bytes in use after a garbage collection. */
function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const eventsTarget = ({ eventsUrl = '' }: { eventsUrl: string | undefined }) => {
  const { pathname, search } = new URL(eventsUrl);
  return pathname + search;
};

test('posts in chunks of one byte take little more memory than their bytes', async () => {
  const { double, service, viewer } = await startWatched(calm);
  const size = 50_000;
  const callers = Array.from({ length: 4 }, () => dial(service));
  const before = usedBytes();
  const held = `POST ${eventsTarget(double)} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const ofAByte = '1\r\n \r\n'.repeat(1000);
  await Promise.all(
    callers.map(async ({ socket }) => {
      socket.write(held);
      for (let sent = 0; sent < size; sent += 1000)
        if (!socket.write(ofAByte)) await new Promise((resolve) => socket.once('drain', resolve));
      await new Promise((resolve) => socket.write('', resolve));
    }),
  );
  // The service has read all of their bytes when it answers a later request.
  await expectUnaffected(service, viewer, double);
  // One object for each byte would be 134 bytes.
  expect(usedBytes() - before).toBeLessThan(32 * callers.length * size);
  for (const { socket } of callers) socket.write('2\r\n[]\r\n0\r\n\r\n');
  // A busy machine may need more than the 10 s of a body for so many chunks.
  await eventually(() => {
    for (const caller of callers) expect(caller.text()).toMatch(/^HTTP\/1\.1 (204|408) /);
  });
});

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const paths = [...new Set(operations.map((each) => samplePath(each)))];
const chunked = (method: string, path: string, end: string) =>
  `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n${end}`;

/** Ends of a body that are too large. */
const endless = {
  'one trailer of a megabyte': `0\r\nX-Trailer: ${'x'.repeat(1_000_000)}\r\n\r\n`,
  'a hundred thousand trailers': `0\r\n${'X: 1\r\n'.repeat(100_000)}\r\n`,
  'a chunk with an extension of a megabyte': `1;x=${'x'.repeat(1_000_000)}\r\n \r\n0\r\n\r\n`,
};

test.each(Object.entries(endless))(
  '%s ends the connection, on every route',
  async (_, end) => {
    const { double, service, viewer } = await startWatched(calm);
    const before = usedBytes();
    const target = eventsTarget(double);
    const callers: Dialled[] = [];
    for (const path of [...paths, target]) {
      const batch = ['GET', 'POST', 'DELETE'].map((method) => {
        const caller = dial(service);
        caller.socket.write(chunked(method, path, end));
        caller.socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
        return caller;
      });
      await eventually(() =>
        expect([path, batch.filter((it) => !it.isClosed()).length]).toEqual([path, 0]),
      );
      callers.push(...batch);
    }
    // The bytes after it are not taken for a request.
    for (const caller of callers) expect(caller.text()).not.toContain('{"status":"ok"}{');
    expect(callers.filter((caller) => /"status":"ok"/.test(caller.text())).length).toBeLessThan(3);
    expect(usedBytes() - before).toBeLessThan(50_000_000);
    await expectUnaffected(service, viewer, double);
  },
  90_000,
);

/** Fields that have a meaning as headers, and none as trailers. */
const meaningful = [
  'Host: elsewhere.example',
  'Host: localhost',
  'Authorization: Bearer secret-of-this-test',
  'Cookie: pubsub-dashboard=x',
  'Content-Encoding: gzip',
  'X-Forwarded-For: 203.0.113.7',
  'Origin: https://evil.example',
  'Sec-Fetch-Site: cross-site',
  '__proto__: x',
  'Expect: 100-continue',
];

/** Fields that would change the end of a request. */
const framing = [
  'Content-Length: 5',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: chunked',
  'Connection: close',
];

test('nothing after trailers with lengths, codings or connection options is read, on every route', async () => {
  const { double, service, viewer } = await startWatched(calm);
  const callers = framing.flatMap((trailer) =>
    paths.map((path) => {
      const caller = dial(service);
      const behind = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
      caller.socket.write(chunked('POST', path, `0\r\n${trailer}\r\n\r\n${behind}`));
      return caller;
    }),
  );
  const open = () => callers.filter((it) => !it.isClosed());
  await eventually(() => expect(open().length).toBe(0));
  for (const caller of callers) expect(caller.text()).not.toContain('"status":"ok"');
  await expectUnaffected(service, viewer, double);
});

test('trailers of any name and number are ignored, on every route', async () => {
  const env = { ...calm, DASHBOARD_TOKEN: 'secret-of-this-test' };
  const double = await startDouble();
  const service = await startStaged([double], env, { isHurried: true });
  const headers = { Authorization: `Bearer ${env.DASHBOARD_TOKEN}` };
  const viewer = visits(await openEventStream(service.url, { headers }), (it) => it.close());
  await eventually(() => expect(double.active).toBe(true));
  const end = `0\r\n${[...meaningful, ...meaningful].join('\r\n')}\r\n\r\n`;
  const closing = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
  for (const path of paths)
    await Promise.all(
      methods.map(async (method) => {
        const [plain, trailed] = [dial(service), dial(service)];
        plain.socket.write(chunked(method, path, '0\r\n\r\n') + closing);
        trailed.socket.write(chunked(method, path, end) + closing);
        await eventually(() =>
          expect([method, path, plain.isClosed(), trailed.isClosed()]).toEqual([
            method,
            path,
            true,
            true,
          ]),
        );
        const statuses = ({ text }: Dialled) => text().match(/^HTTP\/1\.1 \d+/gm);
        expect([method, path, statuses(trailed)]).toEqual([method, path, statuses(plain)]);
        expect(statuses(plain)).not.toBeNull();
      }),
    );
  const poster = dial(service);
  const delta = '{"room":"r","add":1}';
  const head = chunked('POST', eventsTarget(double), '').replace('2\r\n[]', `14\r\n${delta}`);
  poster.socket.write(head + end + closing);
  await eventually(() => expect(poster.isClosed()).toBe(true));
  expect(poster.text().match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 204', 'HTTP/1.1 200']);
  await eventually(() => expect(viewer.rooms()).toEqual({ r: 1 }));
});
