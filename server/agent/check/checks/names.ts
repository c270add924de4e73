import type { Bench, Epoch } from '../bench.js';
import type { Check } from '../check.js';
import { roomsOf } from '../namesOfRooms.js';
import { expect, Skip } from '../verdict.js';

/** Whether rooms go by their raw names. */
export const names: Check[] = [
  {
    id: 'names',
    level: 'MUST',
    section: 'room-names',
    expects: 'the name of a room is as the client sent it, in posts and in snapshots',
    needs: ['new-url', 'full-snapshot'],
    run: rawNames,
  },
  {
    id: 'proto-in-snapshot',
    level: 'SHOULD',
    section: 'room-names',
    expects: 'the room __proto__ is in the snapshot like others',
    needs: ['names'],
    run: protoInSnapshot,
  },
];

async function rawNames(bench: Bench): Promise<string> {
  const epoch = await bench.activate();
  const { accepted, refused } = await bench.connections.openEach(roomsOf(bench));
  expect(accepted.length > 0, 'all names were refused');
  for (const room of accepted)
    await bench.until(
      () => bench.sum(room, epoch.number) === 1,
      () => `a connection to '${room}' was posted as ${postedTo(bench, epoch) || 'nothing'}`,
    );
  const { snapshot } = await bench.activate();
  for (const room of accepted) {
    // This one is the subject of the next check.
    if (room === '__proto__') continue;
    const expected = (epoch.snapshot.get(room) ?? 0) + 1;
    const seen = snapshot.get(room) ?? 0;
    expect(seen === expected, `the snapshot has ${seen} in '${room}', ${expected} are open`);
  }
  const others = refused.map((room) => `'${room}'`).join(' ');
  return `${accepted.length} names${others && `; the server refuses ${others}`}`;
}

function postedTo(bench: Bench, epoch: Epoch): string {
  const entries = bench.postsTo(epoch).flatMap((post) => post.entries);
  return [...new Set(entries.map(({ room }) => `'${room}'`))].join(' ');
}

async function protoInSnapshot(bench: Bench): Promise<string> {
  if (bench.connections.opener.names === 'plain')
    throw new Skip('a command may encode the name of the room');
  const before = await bench.activate();
  try {
    await bench.connections.open('__proto__');
  } catch {
    throw new Skip('the server refuses the name');
  }
  await bench.untilSum('__proto__', before, 1);
  const { snapshot } = await bench.activate();
  expect(
    snapshot.has('__proto__'),
    'a connection to it is open, and the snapshot does not have it',
  );
  return 'it is';
}
