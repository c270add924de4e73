import { parseJson } from '../parseActivation.js';
import { shorten } from './entries.js';
import type { Answer } from './serverClient.js';
import { Failure } from './verdict.js';

/** The connections by room. Names that are not in it have none. */
export type Snapshot = ReadonlyMap<string, number>;

/** Reads the answer to an activation, as the service does. Throws a `Failure` if it is not a snapshot. */
export function parseSnapshot({ status, text }: Answer): Snapshot {
  if (status < 200 || status > 299) throw new Failure(`active: true was answered ${status}`);
  const counts = new Map<string, number>();
  for (const entry of entriesOf(text))
    for (const [room, count] of Object.entries(entry))
      if (Number.isInteger(count) && Number(count) > 0)
        counts.set(room, (counts.get(room) ?? 0) + Number(count));
  return counts;
}

function entriesOf(text: string): object[] {
  const value = parseJson(text);
  if (value === undefined)
    throw new Failure(`active: true was not answered with JSON: ${shorten(text)}`);
  if (!Array.isArray(value))
    throw new Failure(`active: true was not answered with an array: ${shorten(text)}`);
  return value.filter((entry) => typeof entry === 'object' && entry !== null);
}
