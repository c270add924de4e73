import { csvParts, type ExportFacts, frozen, jsonParts } from '../model/roomExport.js';
import { runInSlices } from '../model/slices.js';

/** Kinds of files. */
export type FileKind = 'csv' | 'json';

const types: Record<FileKind, string> = {
  csv: 'text/csv;charset=utf-8',
  json: 'application/json',
};
/** Spreadsheets take a CSV file for another encoding without it. */
const byteOrderMark = '\ufeff';
/** Browsers begin to read the file after the click. */
const readMs = 60_000;

/** Saves rooms as a file of the browser. The page can render meanwhile, and counts are those of the call. */
export async function saveRooms(
  rooms: readonly { name: string; connections: number }[],
  kind: FileKind,
  facts: ExportFacts,
): Promise<void> {
  const copy = frozen(rooms);
  const parts = kind === 'csv' ? csvParts(copy) : jsonParts(copy, facts);
  // The browser may keep blobs outside of memory.
  const blobs = kind === 'csv' ? [new Blob([byteOrderMark])] : [];
  function* collect(): Generator<void, void> {
    for (const part of parts) {
      blobs.push(new Blob([part]));
      yield;
    }
  }
  await new Promise<void>((resolve) =>
    runInSlices(collect(), { isCurrent: () => true, onSlice: (isDone) => isDone && resolve() }),
  );
  const stamp = facts.at.slice(0, 19).replaceAll(':', '-');
  save(new Blob(blobs, { type: types[kind] }), `rooms-${stamp}.${kind}`);
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), readMs);
}
