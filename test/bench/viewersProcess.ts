/**
 * Many viewers of one stream in a process of its own. All of them count bytes; some read every message.
 */
import { kernelBytes } from './kernelBytes.js';
import { type Change, Reader } from './reader.js';
import { answerUsage, monotonicMs } from './usage.js';
import { Viewer } from './viewer.js';
import { within } from './within.js';

export interface ViewersOptions {
  url: string;
  path: string;
  viewers: number;
  /** Those that read; the others count bytes. */
  readers: number;
  /** Readers note when each room came to a count. */
  notesChanges?: boolean;
}

/** What the viewers saw since the last `mark`. */
export interface Seen {
  /** Viewers that the service ended. */
  ended: number;
  /** Messages with rooms that the last reader got, and the bytes of it. */
  frames: number;
  bytes: number;
  /** Between its first message and its last one; 0: there was one at the most. */
  framesPerSecond: number;
  /** Whole states that came, to all readers together. */
  wholeStates: number;
  /** When the last message of all came, by the machine's monotonic clock. */
  lastFrameAt: number;
  /** Of the one of those that only count that got least. */
  leastBytes: number;
}

/** What the last reader has, and since when. */
export interface Size {
  rooms: number;
  /** The sum of the counts. */
  connections: number;
  /** Since before it connected. */
  firstMessageMs: number;
  firstRoomsMs: number;
  lastFrameMs: number;
}

/** What came to those that read again, the most of them. */
export interface Backlog {
  bytes: number;
  /** Of these what the kernel did not hold when they began. */
  beyondKernel: number;
  /** What the kernel held for the one it held most for. */
  inKernel: number;
}

const openMs = 30_000;
const options = JSON.parse(process.argv[2] ?? '{}') as ViewersOptions;
const { viewers, readers, notesChanges = false } = options;
const url = `${options.url}${options.path}`;
const counting = Array.from({ length: viewers - readers }, () => new Viewer(url));
const reading = Array.from({ length: readers }, () => new Reader(url, { notesChanges }));
/** What the readers are to end with. */
let truth: ReadonlyMap<string, number> = new Map();
/** For each reader when it was to read again. */
let inKernel: number[] = [];

const openAll = (all: readonly (Viewer | Reader)[]) =>
  within(`${all.length} viewers come`, Promise.all(all.map((each) => each.open())), openMs);

function seen(): Seen {
  const last = reading.at(-1);
  const all = [...counting, ...reading];
  const bytes = counting.map((viewer) => viewer.bytes);
  const tookMs = last ? last.lastFrameAt - last.firstFrameAt : 0;
  return {
    ended: all.filter(({ isEnded }) => isEnded).length,
    frames: last?.frames ?? 0,
    bytes: last?.bytes ?? 0,
    framesPerSecond: last && tookMs > 0 ? ((last.frames - 1) * 1000) / tookMs : 0,
    wholeStates: reading.reduce((sum, reader) => sum + reader.wholeStates, 0),
    lastFrameAt: Math.max(...reading.map(({ lastFrameAt }) => lastFrameAt)),
    leastBytes: Math.min(...bytes),
  };
}

function size(): Size {
  const last = reading.at(-1);
  const since = (atMs = Number.NaN) => atMs - (last?.openedAt ?? 0);
  return {
    rooms: last?.rooms.size ?? 0,
    connections: last?.connections ?? 0,
    firstMessageMs: since(last?.firstMessageAt),
    firstRoomsMs: since(last?.firstRoomsAt),
    lastFrameMs: since(last?.lastFrameAt),
  };
}

function mark(): void {
  for (const viewer of counting) viewer.bytes = 0;
  for (const reader of reading) reader.mark();
}

/** What the kernel holds for each reader. */
function heldByKernel(): number[] {
  const held = kernelBytes(Number(new URL(url).port));
  return reading.map(({ localPort = 0 }) => held.get(localPort) ?? 0);
}

function readAgain(): void {
  mark();
  inKernel = heldByKernel();
  for (const reader of reading) reader.resume();
}

function backlog(): Backlog {
  const beyond = reading.map(({ bytes }, index) => bytes - (inKernel[index] ?? 0));
  return {
    bytes: Math.max(...reading.map(({ bytes }) => bytes)),
    beyondKernel: Math.max(...beyond),
    inKernel: Math.max(...inKernel),
  };
}

/** One more reader, which is the last from then on. */
async function come(): Promise<void> {
  const reader = new Reader(url, { notesChanges });
  reading.push(reader);
  await openAll([reader]);
}

/** The first readers come back at once: every other one with its last event id, the rest as if new. */
async function comeBack(amount: number) {
  const some = reading.slice(0, amount);
  some.forEach((reader, index) => {
    if (index % 2 === 1) reader.forget();
  });
  const beganAt = monotonicMs();
  await openAll(some);
  return { beganAt };
}

interface Order {
  amount?: number;
  rooms?: [string, number][];
}

const answers: Record<string, (order: Order) => unknown> = {
  mark,
  seen,
  size,
  changes: () => ({ changes: reading.map(({ changes }): Change[] => changes) }),
  expect: ({ rooms = [] }) => {
    truth = new Map(rooms);
  },
  waiting: () => ({ readers: reading.filter((reader) => !reader.has(truth)).length }),
  stopReading: () => {
    for (const reader of reading) reader.pause();
  },
  inKernel: () => ({ most: Math.max(...heldByKernel()) }),
  readAgain,
  backlog,
  come,
  leave: ({ amount }) => {
    for (const reader of reading.slice(0, amount)) reader.leave();
  },
  comeBack: ({ amount = 0 }) => comeBack(amount),
};

process.on('message', async ({ type, ...order }: { type: string } & Order) => {
  const answer = answers[type];
  if (answer) process.send?.({ type, ...((await answer(order)) as object | undefined) });
});
answerUsage();
for (let first = 0; first < counting.length; first += 100)
  await openAll(counting.slice(first, first + 100));
for (let first = 0; first < reading.length; first += 100)
  await openAll(reading.slice(first, first + 100));
process.send?.({ type: 'listening' });
