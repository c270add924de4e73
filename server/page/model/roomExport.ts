import { decodedName } from './roomNames.js';

/** The rooms of an export at one moment: later counts do not change it. */
export interface ExportedRooms {
  readonly names: readonly string[];
  readonly counts: ArrayLike<number>;
}

/** What a file says of itself. */
export interface ExportFacts {
  /** In ISO 8601. */
  at: string;
  /** Whether the counts include every known server. */
  isComplete: boolean;
}

/** Rooms in one part of a file. */
const roomsAtOnce = 2000;

/** Copies the rooms of a list. */
export function frozen(rooms: readonly { name: string; connections: number }[]): ExportedRooms {
  const counts = new Uint32Array(rooms.length);
  rooms.forEach((room, i) => {
    counts[i] = room.connections;
  });
  return { names: rooms.map(({ name }) => name), counts };
}

/** A CSV file (RFC 4180) in parts: the shown name, the raw name, and the connections. */
export function* csvParts(rooms: ExportedRooms): Generator<string> {
  yield 'room,raw name,connections\r\n';
  yield* parts(rooms, (name, count) => {
    const fields = [csvField(decodedName(name)), csvField(name), String(count)];
    return `${fields.join(',')}\r\n`;
  });
}

/** A JSON file in parts: `{"at","complete","rooms":[{"room","connections"}]}` with raw names. */
export function* jsonParts(
  rooms: ExportedRooms,
  { at, isComplete }: ExportFacts,
): Generator<string> {
  yield `{"at":${JSON.stringify(at)},"complete":${isComplete},"rooms":[`;
  yield* parts(rooms, (name, count, i) => {
    const comma = i === 0 ? '' : ',';
    return `${comma}\n{"room":${JSON.stringify(name)},"connections":${count}}`;
  });
  yield '\n]}\n';
}

function* parts(
  { names, counts }: ExportedRooms,
  lineOf: (name: string, count: number, i: number) => string,
): Generator<string> {
  for (let from = 0; from < names.length; from += roomsAtOnce) {
    const lines = names
      .slice(from, from + roomsAtOnce)
      .map((name, i) => lineOf(name, counts[from + i] ?? 0, from + i));
    yield lines.join('');
  }
}

/** Spreadsheets run a cell that begins like this as a formula (OWASP, CSV injection); also after spaces. */
const formula = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;

/** A field of a CSV file. An apostrophe before what looks like a formula makes it a text. */
export function csvField(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n;\t]|^\s|\s$|^'/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
