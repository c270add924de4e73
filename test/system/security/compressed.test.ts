/** Servers that answer with compressed bodies, which the service never accepts. */

import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import * as Y from 'yjs';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { calm, getJson, owns, type ServerRow, startStaged, watch } from '../../support/stage.js';

const mebi = 1024 * 1024;
/** Size of the unpacked bomb. */
const unpackedBytes = 512 * mebi;

/** Half a megabyte of many gzip members (RFC 1952, section 2.2). */
function bomb(begin: string, fill: string, end: string): Buffer {
  const part = gzipSync(fill.repeat(mebi));
  const middle = Array<Buffer>(unpackedBytes / mebi).fill(part);
  return Buffer.concat([gzipSync(begin), ...middle, gzipSync(end)]);
}

const document = new Y.Doc();
document.getText('text').insert(0, 'hidden');
const state = Y.encodeStateAsUpdate(document);

interface Answers {
  encoding: string;
  snapshot: Buffer;
  room: Buffer;
}

/** A server that holds room `r` and gives these answers. */
async function startCompressing({ encoding, snapshot, room }: Answers) {
  const heard: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    heard.push(request.headers);
    const isRoom = request.url?.startsWith('/api/room?') ?? false;
    const type = isRoom ? 'application/octet-stream' : 'application/json';
    response.writeHead(200, { 'Content-Type': type, 'Content-Encoding': encoding });
    response.end(isRoom ? room : snapshot);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return owns({ id: `127.0.0.1:${port}`, heard }, () => {
    server.closeAllConnections();
    server.close();
  });
}

describe('a body encoded as', () => {
  test.each<[string, () => Answers]>([
    [
      'gzip, small on the wire and huge unpacked',
      () => ({ encoding: 'gzip', snapshot: bomb('[', ' ', ']'), room: bomb('', '\0', '') }),
    ],
    ...Object.entries({ gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }).map(
      ([encoding, pack]): [string, () => Answers] => [
        encoding,
        () => ({ encoding, snapshot: pack('[{"r":7}]'), room: pack(state) }),
      ],
    ),
  ])('%s is refused as a snapshot and as a document, and never unpacked', async (_, answersOf) => {
    const answers = answersOf();
    const failure = `answered in the encoding "${answers.encoding}"`;
    const server = await startCompressing(answers);
    const before = process.memoryUsage.rss();
    const service = await startStaged([server], calm);
    const viewer = await watch(service);
    await eventually(async () => {
      const rows = await getJson<(ServerRow & { lastFailure: string })[]>(
        `${service.url}/api/servers`,
      );
      expect(rows).toMatchObject([{ id: server.id, rooms: null, lastFailure: failure }]);
    });
    expect(viewer.rooms()).toEqual({});
    for (const Accept of ['application/octet-stream', 'application/json']) {
      const answer = await ask(`${service.url}/api/rooms/r`, { headers: { Accept } });
      expect(answer.code).toBe('room_not_found');
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(unpackedBytes / 4);
    // No request has accepted an encoding.
    for (const headers of server.heard) expect(headers).not.toHaveProperty('accept-encoding');
  });
});
