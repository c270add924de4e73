import type { ServerView } from '../../wire/serverView.js';
import { visible } from '../model/roomNames.js';

/** A server and the name that it told, if any. */
export type NamedServer = Pick<ServerView, 'id' | 'name'>;

/** The name that a server told, for display; undefined: it told none. */
export const toldName = (name = ''): string | undefined => visible(name).trim() || undefined;

/** What a list of servers is sorted by. */
export const sortName = ({ id, name }: NamedServer): string => name ?? id;

/**
 * What each server is called, by id: its name, else the shortest part of its id that still tells the
 * servers apart. If others are called the same, that part follows the name.
 */
export function shortNames(servers: readonly NamedServer[]): Map<string, string> {
  const shortId = shortIds(servers.map(({ id }) => id));
  const called = servers.map(({ id, name }) => ({
    id,
    name: toldName(name) ?? shortId(id),
    isName: toldName(name) !== undefined,
  }));
  const counts = new Map<string, number>();
  for (const { name } of called) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(
    called.map(({ id, name, isName }) => [
      id,
      isName && counts.get(name) !== 1 ? `${name} ${shortId(id)}` : name,
    ]),
  );
}

function shortIds(ids: readonly string[]): (id: string) => string {
  const isPortEnough = ids.length > 1 && new Set(ids.map(hostOf)).size === 1;
  const isHostEnough = ids.length > 1 && new Set(ids.map(portOf)).size === 1;
  return isPortEnough ? portOf : isHostEnough ? hostOf : (id) => id;
}

const hostOf = (id: string) => id.slice(0, id.lastIndexOf(':'));
const portOf = (id: string) => id.slice(id.lastIndexOf(':'));
