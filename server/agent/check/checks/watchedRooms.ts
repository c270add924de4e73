import type { Bench } from '../bench.js';
import type { Check } from '../check.js';
import type { Entry } from '../entries.js';
import { expect, Skip } from '../verdict.js';
import { awarenessMessage, insertion, updateMessage } from '../yMessages.js';

const section = 'put-apidashboardrooms';
const cannotWrite = 'this client cannot write';
const needs = ['new-url', 'agent-header'];

/** Whether a server with the capability `rooms` posts the content of the rooms that it is told to. */
export const watchedRooms: Check[] = [
  {
    id: 'watched-updates',
    level: 'MUST',
    section,
    expects: 'updates of the rooms of the list, and of no others, are posted to its URL',
    needs,
    run: watchedUpdates,
  },
  {
    id: 'watched-list',
    level: 'MUST',
    section,
    expects: 'a new list replaces the one before, and an empty list ends the posts',
    needs: [...needs, 'watched-updates'],
    run: watchedList,
  },
  {
    id: 'watched-awareness',
    level: 'SHOULD',
    section,
    expects: 'the awareness of a room that is new in the list is posted at once',
    needs: [...needs, 'watched-updates'],
    run: watchedAwareness,
  },
  {
    id: 'watched-lost',
    level: 'SHOULD',
    section,
    expects: 'an update that is too large to be posted is told as lost',
    needs: [...needs, 'watched-updates'],
    run: watchedLost,
  },
  {
    id: 'watched-refusals',
    level: 'MUST',
    section,
    expects: 'a list without a URL is answered 409 while inactive, an invalid one 400',
    needs: [...needs, 'deactivation'],
    run: watchedRefusals,
  },
];

async function watchedUpdates(bench: Bench): Promise<string> {
  const write = writerOf(bench);
  const [listed, other] = [bench.room('listed'), bench.room('other')];
  const epoch = await bench.activate();
  const { number, url } = bench.nextUrl();
  await watch(bench, [listed], url);
  await write(other);
  const text = await write(listed);
  await untilContent(bench, number, { room: listed, kind: 'update', text });
  await bench.barrier(epoch);
  const problem = () => {
    const foreign = entriesTo(bench, number).find(({ room, add }) => room !== listed || add);
    if (foreign) return `posted to the list's URL: ${shown(foreign)}`;
    const misplaced = entriesTo(bench, epoch.number).find(({ update }) => update !== undefined);
    return misplaced && `posted to the activation's URL: ${shown(misplaced)}`;
  };
  bench.claims.push(problem);
  expect(problem() === undefined, problem() ?? '');
  return 'an update of the listed room only';
}

async function watchedList(bench: Bench): Promise<string> {
  const write = writerOf(bench);
  const [first, second] = [bench.room('first'), bench.room('second')];
  const { number, url } = bench.nextUrl();
  await watch(bench, [first], url);
  await watch(bench, [second], url);
  await write(first);
  const text = await write(second);
  await untilContent(bench, number, { room: second, kind: 'update', text });
  await watch(bench, [], url);
  const late = await write(second);
  const problem = () => {
    const posted = entriesTo(bench, number);
    if (posted.some(({ room }) => room === first)) return 'a room of the list before was posted';
    const isLate = posted.some((entry) => contentOf(entry).includes(late));
    return isLate ? 'an update after the empty list was posted' : undefined;
  };
  bench.claims.push(problem);
  await bench.barrier(await bench.activate());
  expect(problem() === undefined, problem() ?? '');
  return 'the newest list only';
}

async function watchedAwareness(bench: Bench): Promise<string> {
  writerOf(bench);
  const room = bench.room('awareness');
  const text = `somebody in ${room}`;
  const connection = await bench.connections.open(room);
  if (!connection.send) throw new Skip(cannotWrite);
  connection.send(awarenessMessage(randomClient(), { user: { name: text } }));
  // First until the server has it, then again without a message of the client.
  for (const _ of [1, 2]) {
    const { number, url } = bench.nextUrl();
    await watch(bench, [room], url);
    await untilContent(bench, number, { room, kind: 'awareness', text });
    await watch(bench, [], url);
  }
  return 'posted for each new list';
}

const tooLarge = 600 * 1024;

async function watchedLost(bench: Bench): Promise<string> {
  const write = writerOf(bench);
  const room = bench.room('lost');
  const { number, url } = bench.nextUrl();
  await watch(bench, [room], url);
  const text = await write(room, 'x'.repeat(tooLarge));
  const told = () => {
    const entry = entriesTo(bench, number).find((it) => it.lost || contentOf(it).includes(text));
    return entry && (entry.lost ? 'told as lost' : 'posted');
  };
  await bench.until(
    () => told() !== undefined,
    () => 'neither the update nor its loss was posted',
  );
  await watch(bench, [], url);
  return told() ?? '';
}

async function watchedRefusals(bench: Bench): Promise<string> {
  writerOf(bench);
  await bench.deactivate();
  const { url } = bench.nextUrl();
  const many = Array.from({ length: 1_001 }, (_, i) => `${i}`);
  const cases: [body: object, status: number][] = [
    [{ rooms: ['a'] }, 409],
    [{ rooms: 'a', eventsUrl: url }, 400],
    [{ rooms: [1], eventsUrl: url }, 400],
    [{ rooms: many, eventsUrl: url }, 400],
    [{ eventsUrl: url }, 400],
  ];
  for (const [body, status] of cases) {
    const answer = await putRooms(bench, body);
    const shownBody = JSON.stringify(body).slice(0, 60);
    expect(answer.status === status, `${shownBody} was answered ${answer.status}, not ${status}`);
  }
  return `${cases.length} refused`;
}

/** Opens a connection to a room and writes a unique text. */
function writerOf(bench: Bench): (room: string, more?: string) => Promise<string> {
  if (!bench.capabilities?.has('rooms')) throw new Skip('the server does not announce rooms');
  return async (room, more = '') => {
    const connection = await bench.connections.open(room);
    if (!connection.send) throw new Skip(cannotWrite);
    const text = `${bench.room('text')}${more}`;
    connection.send(updateMessage(insertion(randomClient(), text)));
    return text;
  };
}

function randomClient(): number {
  return 1 + Math.floor(Math.random() * 0x7fffffff);
}

function putRooms({ server }: Bench, body: object) {
  const target = '/api/dashboard/rooms';
  return server.send({ method: 'PUT', target, body: JSON.stringify(body) });
}

async function watch(bench: Bench, rooms: readonly string[], eventsUrl: string): Promise<void> {
  const { status } = await putRooms(bench, { rooms, eventsUrl });
  expect(status >= 200 && status < 300, `the list was answered ${status}`);
}

function untilContent(
  bench: Bench,
  number: number,
  { room, kind, text }: { room: string; kind: 'update' | 'awareness'; text: string },
): Promise<void> {
  const isWanted = (entry: Entry) =>
    entry.room === room && entry[kind] !== undefined && contentOf(entry).includes(text);
  return bench.until(
    () => entriesTo(bench, number).some(isWanted),
    () => `no ${kind} of the room was posted to the list's URL`,
  );
}

function entriesTo(bench: Bench, number: number): Entry[] {
  return bench.postsTo({ number }).flatMap(({ entries }) => entries);
}

function contentOf({ update, awareness }: Entry): Buffer {
  return Buffer.from(update ?? awareness ?? '', 'base64');
}

function shown(entry: Entry): string {
  return JSON.stringify(entry).slice(0, 120);
}
