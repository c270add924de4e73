import type { RoomName } from '../../../machines/ports.js';
import { BadUpdate, DocumentError } from '../../documents/documentErrors.js';
import type { DocumentWork } from './documentWork.js';
import type { Asked, FoundRoom, Said } from './roomDirectory.js';

/**
 * Reads the states of a room; one that is no document becomes `unreadable`. For a state that is too large or too
 * heavy it rejects with a `DocumentError`. With `isListing` that counts as a failure of its server instead.
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
    // A lost thread says nothing about the state.
    if (!isListing || !(error instanceof DocumentError) || error.code === 'lost') throw error;
    return { kind: 'failed', cause: `its state could not be read: ${error.message}` };
  }
}
