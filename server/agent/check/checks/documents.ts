import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import { roomsOf } from '../namesOfRooms.js';
import { expect, Skip } from '../verdict.js';
import { insertion, updateMessage } from '../yMessages.js';

/** Whether documents can be read. A server without this endpoint is counted too. */
export const documents: Check[] = [
  {
    id: 'room',
    level: 'MUST',
    section: 'get-apiroomidname',
    expects: 'GET /api/room?id=<raw name> is answered 200 with the document as a Yjs update',
    needs: ['new-url', 'names'],
    run: heldRoom,
  },
  {
    id: 'absent-room',
    level: 'MUST',
    section: 'get-apiroomidname',
    expects: 'GET /api/room?id=<name> is answered 401 for a room that is not in memory',
    needs: ['room'],
    run: async (bench) => {
      const room = bench.room('absent');
      const { status } = await getRoom(bench, room);
      expect(status === 401, `${status}`);
      // Rooms with 0 connections are in the answer, but not in a `Snapshot`.
      const { answer } = await bench.activate();
      expect(!answer.text.includes(room), 'the request put the room into memory');
      return '401';
    },
  },
  {
    id: 'room-by-name',
    level: 'MUST',
    section: 'get-apiroomnamename',
    expects: 'with the capability names, GET /api/room?name=<encoded name> finds every room',
    needs: ['names', 'agent-header'],
    run: roomByName,
  },
];

async function roomByName(bench: Bench): Promise<string> {
  if (!bench.capabilities?.has('names')) throw new Skip('the server does not announce names');
  const { accepted } = await bench.connections.openEach(roomsOf(bench));
  for (const room of accepted) {
    const deadline = performance.now() + bench.withinMs;
    for (let status = 0; status !== 200; ) {
      status = await statusByName(bench, room);
      // A client can be accepted before its room is in memory.
      expect(performance.now() < deadline || status === 200, `'${room}' was answered ${status}`);
    }
  }
  const absent = await statusByName(bench, bench.room('absent'));
  expect(absent === 404, `an absent room was answered ${absent}`);
  return `${accepted.length} names`;
}

async function statusByName({ server }: Bench, room: string): Promise<number> {
  const target = `/api/room?name=${encodeURIComponent(room)}`;
  return (await server.send({ method: 'GET', target })).status;
}

async function heldRoom(bench: Bench): Promise<string> {
  const { names } = bench.connections.opener;
  const room = bench.room(names === 'plain' ? 'held' : 'held%20room');
  const epoch = await bench.activate();
  const connection = await bench.connections.open(room);
  await bench.untilSum(room, epoch, 1);
  const [held, absent] = [await getRoom(bench, room), await getRoom(bench, bench.room('absent'))];
  // Without the endpoint both are the same to the server.
  if (held.status === absent.status && held.status !== 200 && held.status !== 401)
    throw new Skip(`the server has no such endpoint (${held.status})`);
  expect(held.status === 200, `${held.status} for a room with a connection`);
  const type = held.headers['content-type'] ?? 'none';
  expect(type.startsWith('application/octet-stream'), `Content-Type: ${type}`);
  expect(
    !held.headers['content-encoding'],
    `Content-Encoding: ${held.headers['content-encoding']}`,
  );
  if (!connection.send) return `${held.bytes.length} bytes`;
  const text = `written-by-check-${room.length}`;
  connection.send(updateMessage(insertion(4_711, text)));
  return untilWritten(bench, room, text);
}

/** Waits until the document has what a client wrote. */
async function untilWritten(bench: Bench, room: string, text: string): Promise<string> {
  const deadline = performance.now() + bench.withinMs;
  for (;;) {
    const { bytes } = await getRoom(bench, room);
    if (bytes.includes(text)) return `${bytes.length} bytes, with what a client wrote`;
    expect(performance.now() < deadline, 'the document does not have what a client wrote');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function getRoom({ server }: Bench, room: string) {
  return server.send({ method: 'GET', target: `/api/room?id=${room}` });
}
