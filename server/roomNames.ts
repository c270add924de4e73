import type { RoomName } from '../machines/ports.js';

/**
 * The rooms that a name in a path may mean, the likeliest first: the name as it stands there, since
 * that is how rooms are keyed, and the name decoded, since that is what a person types.
 */
export function namesOf(raw: string): RoomName[] {
  try {
    const decoded = decodeURIComponent(raw);
    // Rooms are keyed by request lines, which hold bytes: a decoded name is looked up as it would be sent.
    return decoded === raw ? [raw] : [raw, decoded];
  } catch {
    return [raw];
  }
}
