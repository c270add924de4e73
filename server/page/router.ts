import { computed, effect, signal } from '@preact/signals';
import { fragmentOf, routeOf, splitFragment } from './address.js';
import { encodedName } from './model/roomNames.js';

export type { Route } from './address.js';

const fragment = signal(location.hash);
const parts = computed(() => splitFragment(fragment.value));
/** Where the shown view begins: it does not change with the query. */
const path = computed(() => parts.value.path);

/** The current route. */
export const route = computed(() => routeOf(path.value));

/** The query of the view, such as the search of the list of rooms. */
export const query = computed(() => new URLSearchParams(parts.value.query));

/** The list of rooms as it was seen last, for the way back to it. */
export const roomsHref = signal('#/rooms');
effect(() => {
  if (path.value === 'rooms') roomsHref.value = fragment.value;
});

/** The link to a room. */
export const roomHref = (name: string) => `#/room/${encodedName(name)}`;

/** The link to a pub-sub server. */
export const serverHref = (id: string) => `#/server/${encodeURIComponent(id)}`;

/** The link to the statechart of a pub-sub server. */
export const statechartHref = (id: string) =>
  fragmentOf('statecharts', { machine: 'pubSubServer', actor: `server:${id}` });

/** Browsers refuse changes of the address that come too often: Safari more than 100 in 30 s. */
const writeMs = 350;
let writing: ReturnType<typeof setTimeout> | undefined;

/**
 * Changes parts of the query; undefined or empty removes one. `push` adds a step for the Back button, `replace`
 * does not, and the address bar follows a moment later.
 */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  kind: 'push' | 'replace' = 'replace',
): void {
  const next = fragmentOf(path.value, { ...Object.fromEntries(query.value), ...changes });
  if (next === fragment.value) return;
  if (kind === 'push') {
    writeAddress();
    history.pushState(null, '', next);
  } else {
    writing ??= setTimeout(writeAddress, writeMs);
  }
  fragment.value = next;
}

/** Goes to a fragment, as a link does. */
export function navigate(href: string): void {
  writeAddress();
  location.hash = href;
}

function writeAddress(): void {
  if (writing === undefined) return;
  clearTimeout(writing);
  writing = undefined;
  history.replaceState(history.state, '', fragment.value);
}

addEventListener('hashchange', () => {
  clearTimeout(writing);
  writing = undefined;
  fragment.value = location.hash;
});
// Before a link leaves the view, so that Back finds it as it was.
addEventListener('click', writeAddress, true);
addEventListener('pagehide', writeAddress);
