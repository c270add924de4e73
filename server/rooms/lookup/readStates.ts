import type { RoomName } from '../../../machines/ports.js';
import { BadUpdate, DocumentError } from '../../documents/documentErrors.js';
import type { DocumentWork } from './documentWork.js';
import type { AskedServer, FoundRoom, ServerAnswer } from './roomDirectory.js';

/**
 * Reads the states of a room; one that is no document becomes `unreadable`. For a state that is too large or too
 * heavy it rejects with a `DocumentError`. With `isListing` that counts as a failure of its server instead.
 */
export async function readStates(
  found: FoundRoom,
  documents: DocumentWork,
  { isListing = false } = {},
): Promise<FoundRoom> {
  const asked: AskedServer[] = [];
  // One after the other, to bound what waits for the thread.
  for (const each of found.asked)
    asked.push({ ...each, answer: await read(found.room, each.answer, documents, isListing) });
  return { ...found, asked };
}

async function read(
  room: RoomName,
  answer: ServerAnswer,
  documents: DocumentWork,
  isListing: boolean,
): Promise<ServerAnswer> {
  if (answer.kind !== 'holds') return answer;
  try {
    return { kind: 'holds', ...(await documents.check(room, answer.state)) };
  } catch (error) {
    if (error instanceof BadUpdate) return { kind: 'unreadable', cause: error.message };
    // A lost thread says nothing about the state.
    if (!isListing || !(error instanceof DocumentError) || error.code === 'lost') throw error;
    return { kind: 'failed', cause: `its state could not be read: ${error.message}` };
  }
}
