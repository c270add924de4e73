import type { RoomStatus } from '../../wire/roomStatus.js';
import { visible } from '../model/roomNames.js';
import { countWord } from '../ui/numbers.js';

/** What the log of updates lacks, and why; one sentence each. `nameOf`: what the page calls a server. */
export function logFindings(
  status: RoomStatus | undefined,
  nameOf: (server: string) => string,
): string[] {
  if (!status) return [];
  const { unreadable, waitingFor, channel, source, redis, garbage, tooLarge } = status;
  const from = redis ? 'on Redis' : 'in posts of the servers';
  const findings: string[] = [];
  if (channel === 'silent')
    findings.push(
      `Not by the channel: the servers have changes that did not arrive ${from}. They are in the document, but not in this log.`,
    );
  else if (source === 'poll' && status.state === 'polling')
    findings.push(
      'No updates arrive: the service compares whole documents, so this log lacks what changed meanwhile.',
    );
  for (const { server, reason } of unreadable)
    findings.push(
      `Unreadable: what ${nameOf(server)} holds cannot be read (${visible(reason)}), so its changes may be missing.`,
    );
  for (const { server, missingStructs, missingDeletions } of waitingFor)
    findings.push(
      `Waiting: ${nameOf(server)} cannot apply updates until it gets ${missingWords(missingStructs, missingDeletions)}.`,
    );
  if (garbage > 0)
    findings.push(
      `Left out: ${countWord(garbage, 'message')} on the channel ${garbage === 1 ? 'was' : 'were'} not a valid update.`,
    );
  if (tooLarge)
    findings.push(
      'Left out: the room is too large for the service, so formatting and types inside others are not described.',
    );
  return findings;
}

function missingWords(structs: number, deletions: number): string {
  const words = [];
  if (structs > 0) words.push(countWord(structs, 'missing element'));
  if (deletions > 0) words.push(countWord(deletions, 'missing deletion'));
  return words.join(' and ') || 'others that are missing';
}
