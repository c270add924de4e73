import type { RoomName } from '../../../machines/ports.js';
import { BadUpdate } from '../../documents/documentErrors.js';
import { ApiError } from '../../http/errors.js';
import type { DocumentWork } from './documentWork.js';
import type { Asked, FoundRoom, Said } from './roomDirectory.js';

/**
 * The same room, its states read: what is no document is `unreadable`. A state that is too large or too heavy to be
 * read rejects with the `ApiError` of that, or, with `isListing`, counts as a failure of its server.
 */
export async function readStates(
  found: FoundRoom,
  documents: DocumentWork,
  { isListing = false } = {},
): Promise<FoundRoom> {
  const asked: Asked[] = [];
  // One after the other: what waits for the thread is bounded.
  for (const each of found.asked)
    asked.push({ ...each, said: await read(found.room, each.said, documents, isListing) });
  return { ...found, asked };
}

async function read(
  room: RoomName,
  said: Said,
  documents: DocumentWork,
  isListing: boolean,
): Promise<Said> {
  if (said.kind !== 'holds') return said;
  try {
    return { kind: 'holds', ...(await documents.check(room, said.state)) };
  } catch (error) {
    if (error instanceof BadUpdate) return { kind: 'unreadable', cause: error.message };
    if (!isListing || !(error instanceof ApiError)) throw error;
    return { kind: 'failed', cause: `its state could not be read: ${error.message}` };
  }
}
