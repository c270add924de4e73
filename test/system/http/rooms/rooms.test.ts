import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs';
import { eventually } from '../../../support/eventually.js';
import { connectTo, editIn, nth, sharedFleet } from '../../../support/fleet.js';
import { get, sharedStore, startRest } from '../../../support/restApi.js';
import { owns, startDouble, untilShown, watchMaps } from '../../../support/stage.js';

const { tables } = sharedStore();
const fleet = sharedFleet(2);
const asJson = { Accept: 'application/json' };
const path = (name: string) => `/api/rooms/${name}`;

interface RoomAnswer {
  id: string;
  askable: boolean;
  storable: boolean;
  connections: number;
  servers: { server: string; answer: string; connections: number | null }[];
  documentError: string | null;
  document: Record<string, unknown> | null;
}

/** The text of a document that was answered as an update. */
function textIn(update: Uint8Array): string {
  const doc = new Doc();
  applyUpdate(doc, update);
  return doc.getText('text').toString();
}

/** Real servers, a service that knows them, and a viewer, so that they report. */
async function startWatched() {
  const service = await startRest(await tables(), { servers: fleet });
  return { service, viewer: await watchMaps(service) };
}

describe('the state of a room', () => {
  test('is merged from every server that holds it', async () => {
    const { service } = await startWatched();
    const [left, right] = [
      await editIn(nth(fleet, 0), 'both'),
      await editIn(nth(fleet, 1), 'both'),
    ];
    left.type('left');
    right.type('right');
    const union = new Doc();
    await eventually(async () => {
      const { status, headers, body } = await get(service, path('both'));
      expect([status, headers['content-type']]).toEqual([200, 'application/octet-stream']);
      const text = textIn(body);
      expect(text).toContain('left');
      expect(text).toContain('right');
      applyUpdate(union, body);
    });
    expect(union.getText('text').length).toBe('leftright'.length);
    const json = (await get(service, path('both'), asJson)).json<RoomAnswer>();
    expect(JSON.stringify(json.document)).toContain(union.getText('text').toString());
    expect(json).toMatchObject({ id: 'both', connections: 2, askable: true, documentError: null });
    const answers = json.servers.map(({ answer, connections }) => [answer, connections]);
    expect(answers).toEqual([
      ['holds', 1],
      ['holds', 1],
    ]);
  });

  test('is found without viewers, while no server reports', async () => {
    const service = await startRest(await tables(), { servers: fleet });
    const editor = await editIn(nth(fleet, 1), 'unwatched');
    editor.type('here');
    await eventually(async () => {
      expect(textIn((await get(service, path('unwatched'))).body)).toBe('here');
    });
    const { servers } = (await get(service, path('unwatched'), asJson)).json<RoomAnswer>();
    expect(servers).toEqual([expect.objectContaining({ answer: 'holds', connections: null })]);
  });

  test('is found on another server if those in the store have died', async () => {
    const own = await tables();
    const service = await startRest(own, { servers: fleet });
    await own.putRoom('moved', { remoteDocs: { SS: ['127.0.0.9'] } });
    const editor = await editIn(nth(fleet, 0), 'moved');
    editor.type('moved');
    await eventually(async () => {
      expect(textIn((await get(service, path('moved'))).body)).toBe('moved');
    });
  });

  test('is bytes for clients that accept bytes, and JSON for those that only accept JSON', async () => {
    const { service } = await startWatched();
    await editIn(nth(fleet, 0), 'accepted');
    const bytes = [
      '*/*',
      'application/octet-stream',
      'application/json, text/plain, */*',
      'text/html, */*;q=0.8',
    ];
    for (const Accept of [
      ...bytes,
      'application/json',
      'application/*;q=0.5, application/octet-stream;q=0',
    ]) {
      const { headers } = await get(service, path('accepted'), { Accept });
      const type = bytes.includes(Accept) ? /octet-stream/ : /^application\/json/;
      expect([Accept, headers['content-type']]).toEqual([Accept, expect.stringMatching(type)]);
      expect(headers.vary).toBe('Accept');
    }
  });

  test('gets 404 if no server holds the room', async () => {
    const own = await tables();
    await own.putRoom('idle', { bytes: { N: '7' } });
    const service = await startRest(own, { servers: fleet });
    for (const name of ['none', 'a/b/c', '%', '', 'idle']) {
      expect(await get(service, path(name))).toMatchObject({ status: 404, code: 'room_not_found' });
    }
    // What the store says of a room can be told all the same.
    expect(await get(service, path('none'), asJson)).toMatchObject({ code: 'room_not_found' });
    const idle = (await get(service, path('idle'), asJson)).json<RoomAnswer>();
    expect(idle).toMatchObject({ id: 'idle', bytes: 7, servers: [], document: null });
    expect(idle.documentError).toBe('room_not_found');
  });
});

describe('a name', () => {
  /** Rooms by their raw names, and the ways to ask for each; the first is as an old page asks. */
  const ways: [room: string, ...asked: string[]][] = [
    ['a/b', 'a/b', 'a%2Fb'],
    ['100%', '100%', '100%25'],
    ['a%20b', 'a%20b', 'a%2520b'],
    ['%F0%9F%98%80', '%F0%9F%98%80', '%25F0%259F%2598%2580'],
    ['constructor', 'constructor', '%63onstructor'],
    ['__proto__', '__proto__', '%5F%5Fproto%5F%5F'],
    ['/lead', '/lead', '%2Flead'],
    ['x/servers', 'x%2Fservers', 'x%2fservers'],
    ['x/events', 'x%2Fevents'],
    ['x/y/servers', 'x/y/servers', 'x%2Fy%2Fservers'],
    ['a"b', 'a"b', 'a%22b'],
    ["o'clock", "o'clock", 'o%27clock'],
    ['..', '..', '%2E%2E'],
    ['long'.repeat(500), 'long'.repeat(500)],
    ['longer'.repeat(400), 'longer'.repeat(400)],
  ];

  test('means the room of that raw name, else of the decoded name', async () => {
    const { service, viewer } = await startWatched();
    const server = nth(fleet, 0);
    for (const [room] of ways) await connectTo(server, room);
    await eventually(() => expect(Object.keys(viewer.rooms())).toHaveLength(ways.length));
    for (const [room, ...asked] of ways) {
      for (const name of asked) {
        const bytes = await get(service, path(name));
        expect([name, bytes.status]).toEqual([name, 200]);
        expect(textIn(bytes.body)).toBe('');
        const metadata = (await get(service, path(name), asJson)).json<RoomAnswer>();
        expect([name, metadata.id]).toEqual([name, room]);
      }
      const sub = await get(service, `${path(encodeURIComponent(room))}/servers`);
      expect(sub.json()).toMatchObject({
        id: room,
        servers: [{ server: server.id, answer: 'holds' }],
      });
    }
  });

  test('means the raw name if both rooms exist', async () => {
    const { service, viewer } = await startWatched();
    await connectTo(nth(fleet, 0), 'p%2Fq');
    await untilShown(viewer, { 'p%2Fq': 1 });
    const idOf = async (name: string) =>
      (await get(service, path(name), asJson)).json<RoomAnswer>().id;
    await expect(idOf('p%2Fq')).resolves.toBe('p%2Fq');
    await connectTo(nth(fleet, 1), 'p/q');
    await untilShown(viewer, { 'p%2Fq': 1, 'p/q': 1 });
    await expect(idOf('p%2Fq')).resolves.toBe('p%2Fq');
    await expect(idOf('p/q')).resolves.toBe('p/q');
    await expect(idOf('p%252Fq')).resolves.toBe('p%2Fq');
  });

  test('with the ending of a sub-resource means the sub-resource', async () => {
    const { service, viewer } = await startWatched();
    await connectTo(nth(fleet, 0), 'x');
    await connectTo(nth(fleet, 1), 'x/servers');
    await untilShown(viewer, { x: 1, 'x/servers': 1 });
    const sub = (await get(service, path('x/servers'))).json<RoomAnswer>();
    expect(sub).toMatchObject({ id: 'x', servers: [{ server: nth(fleet, 0).id }] });
    const log = await get(service, path('x/log'));
    expect(log.json()).toMatchObject({ id: 'x', watched: false });
  });

  test('works in a request line with scheme and host', async () => {
    const { service, viewer } = await startWatched();
    await connectTo(nth(fleet, 0), 'absolute');
    await untilShown(viewer, { absolute: 1 });
    const answer = await get(service, `${service.url}${path('absolute')}?x=/api/rooms/`, asJson);
    expect(answer.json()).toMatchObject({ id: 'absolute' });
  });
});

describe('a room whose name servers or store cannot have', () => {
  const rooms = { 'a=b': 1, 'a?b': 1, '': 2, ['x'.repeat(2049)]: 3 };

  test('is answered from live data, and marked as such', async () => {
    const double = await startDouble();
    for (const [room, count] of Object.entries(rooms)) double.rooms.set(room, count);
    // Asked for it, the server would answer for the room `a`.
    double.rooms.set('a', 4);
    const service = await startRest(await tables(), { servers: [double] });
    await untilShown(await watchMaps(service), { ...rooms, a: 4 });
    for (const [room, connections] of Object.entries(rooms)) {
      const name = encodeURIComponent(room);
      const askable = room.startsWith('x');
      const known = { id: room, askable, storable: !/^(x|$)/.test(room), storeStale: false };
      const servers = [{ server: double.id, connections, answer: askable ? 'holds' : 'unasked' }];
      const answer = (await get(service, path(name), asJson)).json<RoomAnswer>();
      expect(answer).toMatchObject({ ...known, connections, servers });
      expect(answer.documentError).toBe(askable ? null : 'room_not_found');
      const sub = (await get(service, `${path(name)}/servers`)).json<RoomAnswer>();
      expect(sub).toMatchObject({ ...known, servers });
      expect(await get(service, path(name))).toMatchObject({ status: askable ? 200 : 404 });
    }
    const refused = await get(service, path('a=b'));
    expect(refused.json<{ error: { message: string } }>().error.message).toContain(
      'cannot be asked',
    );
    const asked = double.requests.filter(({ path: target }) => target.startsWith('/api/room?'));
    expect(new Set(asked.map(({ path: target }) => target))).toEqual(
      new Set([`/api/room?id=${'x'.repeat(2049)}`]),
    );
  });
});

/** A pub-sub server that answers for every room the same: what a broken one would. */
async function startBroken(room: string, type: string, body: string | Buffer) {
  const server = createServer((request, response) => {
    const isRoom = request.url?.startsWith('/api/room?');
    response.writeHead(200, { 'Content-Type': isRoom ? type : 'application/json' });
    response.end(isRoom ? body : JSON.stringify([{ [room]: 1 }]));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owns(server, () => server.close());
  return { id: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a server whose answer is not a document', () => {
  const bytes = 'application/octet-stream';
  const broken = [
    ['garbage', bytes, 'garbage'],
    ['nothing', bytes, ''],
    ['a page', 'text/html', '<h1>It works!</h1>'],
  ] as const;

  test.each(broken)(
    'that answers %s does not spoil the documents of others',
    async (name, type, body) => {
      const room = encodeURIComponent(`beside ${name}`);
      (await editIn(nth(fleet, 0), room)).type('good');
      (await editIn(nth(fleet, 1), room)).type('good');
      const bad = await startBroken(room, type, body);
      const service = await startRest(await tables(), { servers: [...fleet, bad] });
      await untilShown(await watchMaps(service), { [room]: 3 });
      await eventually(async () => {
        expect(textIn((await get(service, path(room))).body)).toBe('goodgood');
        const json = (await get(service, path(room), asJson)).json<RoomAnswer>();
        expect(JSON.stringify(json.document)).toContain('goodgood');
      });
    },
  );

  test('is not treated as an empty document if the answer is empty', async () => {
    const broken = await startBroken('r', bytes, '');
    const service = await startRest(await tables(), { servers: [broken] });
    await untilShown(await watchMaps(service), { r: 1 });
    expect(await get(service, path('r'))).toMatchObject({ status: 502, code: 'room_unreadable' });
    const { servers } = (await get(service, path('r'), asJson)).json<RoomAnswer>();
    const unreadable = { answer: 'failed', failure: 'the answer is empty', finding: 'unreadable' };
    expect(servers).toMatchObject([unreadable]);
  });

  test('is not passed on if it is the only one, and is reported as unreadable', async () => {
    const doc = new Doc();
    doc.getText('text').insert(0, 'cut');
    const state = Buffer.from(encodeStateAsUpdate(doc)).subarray(0, -3);
    const broken = await startBroken('r', bytes, state);
    const own = await tables();
    const service = await startRest(own, { servers: [broken] });
    await untilShown(await watchMaps(service), { r: 1 });
    await own.putRoom('r', { remoteDocs: { SS: [broken.id] } });
    expect(await get(service, path('r'))).toMatchObject({ status: 502, code: 'room_unreadable' });
    for (const suffix of ['', '/servers']) {
      const answer = (await get(service, `${path('r')}${suffix}`, asJson)).json<RoomAnswer>();
      expect(answer.servers).toMatchObject([
        { finding: 'unreadable', failure: expect.stringContaining('not a Yjs update') },
      ]);
    }
  });

  test('is distinguished from a missing room', async () => {
    const service = await startRest(await tables(), {
      servers: [await startBroken('r', bytes, 'x'), await startBroken('r', bytes, 'y')],
    });
    await untilShown(await watchMaps(service), { r: 2 });
    expect(await get(service, path('r'))).toMatchObject({ status: 502, code: 'room_unreadable' });
    const answer = (await get(service, path('r'), asJson)).json<RoomAnswer>();
    expect(answer).toMatchObject({
      document: null,
      documentError: 'room_unreadable',
      connections: 2,
    });
  });
});

test('a room that is too large to be merged is refused with the reason', async () => {
  const service = await startRest(await tables(), {
    servers: fleet,
    env: { MAX_ROOM_BYTES: '1000' },
  });
  const editors = [await editIn(nth(fleet, 0), 'large'), await editIn(nth(fleet, 1), 'large')];
  for (const editor of editors) editor.type('x'.repeat(2000));
  await eventually(async () => {
    expect(await get(service, path('large'))).toMatchObject({
      status: 413,
      code: 'room_too_large',
    });
    const answer = (await get(service, path('large'), asJson)).json<RoomAnswer>();
    expect(answer).toMatchObject({ document: null, documentError: 'room_too_large' });
  });
});
