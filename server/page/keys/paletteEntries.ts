import { session } from '../api.js';
import { roomIndex } from '../model/fleet.js';
import { shownName } from '../model/roomNames.js';
import { navigate, roomHref, serverHref } from '../router.js';
import { lookOf, presentServers } from '../servers/serverLook.js';
import { signOut } from '../session/session.js';
import { retryStreams } from '../stream/connection.js';
import { formatNumber } from '../ui/numbers.js';
import { findRooms } from './findRooms.js';
import { bestMatches } from './matching.js';
import { goTo } from './shortcuts.js';
import { theme, themes, themeWords } from './theme.js';
import { focusSearch, overlay } from './useKeys.js';

/** Something that the palette finds. */
export interface Entry {
  readonly key: string;
  readonly title: string;
  /** Beside the title. */
  readonly hint: string;
  readonly run: () => void;
}

/** Entries of a kind. */
export interface Group {
  readonly title: string;
  readonly entries: readonly Entry[];
}

const maxOfAKind = 8;

/** What fits what was typed, by kind. Without anything typed: views and actions. */
export function paletteGroups(typed: string): Group[] {
  const isTyped = typed.trim() !== '';
  const groups = [
    { title: 'Views', entries: best(views(), typed) },
    { title: 'Rooms', entries: isTyped ? rooms(typed) : [] },
    { title: 'Servers', entries: isTyped ? best(servers(), typed) : [] },
    { title: 'Actions', entries: best(commands(), typed) },
  ];
  return groups.filter(({ entries }) => entries.length > 0);
}

const best = (entries: readonly Entry[], typed: string) =>
  bestMatches(entries, typed, {
    textOf: ({ title, hint }) => `${title} ${hint}`,
    count: maxOfAKind,
  });

const link = (title: string, hint: string, href: string): Entry => ({
  key: href,
  title,
  hint,
  run: () => navigate(href),
});

function views(): Entry[] {
  const all = Object.entries(goTo).map(([keys, { title, href }]) => link(title, keys, href));
  return [
    ...all,
    link('Rooms without connections', '', '#/rooms?show=empty'),
    link('Rooms whose servers differ', 'watched rooms', '#/rooms?show=diverged'),
    link('Rooms that cannot be read', 'watched rooms', '#/rooms?show=unreadable'),
  ];
}

function rooms(typed: string): Entry[] {
  return findRooms(roomIndex.byConnections, typed, maxOfAKind).map(({ name, connections }) =>
    link(shownName(name), `${formatNumber(connections)} connected`, roomHref(name)),
  );
}

function servers(): Entry[] {
  return presentServers.value.map(({ id }) => {
    const { name } = lookOf(id);
    return link(name ?? id, name === undefined ? '' : id, serverHref(id));
  });
}

function commands(): Entry[] {
  const action = (title: string, hint: string, run: () => void): Entry => ({
    key: title,
    title,
    hint,
    run,
  });
  return [
    action('Search rooms', '/', focusSearch),
    action('Show the keys', '?', () => {
      overlay.value = 'keys';
    }),
    ...themes
      .filter((each) => each !== theme.value)
      .map((each) =>
        action(`Theme ${themeWords(each)}`, 'colors', () => {
          theme.value = each;
        }),
      ),
    action('Reconnect now', 'the stream of this page', retryStreams),
    ...(session.value?.byToken && session.value.required
      ? [action('Sign out', '', () => void signOut().catch(() => undefined))]
      : []),
  ];
}
