import { computed, signal } from '@preact/signals';
import { encodedName } from './model/roomNames.js';

/** What the page shows; it stands in the fragment of its address, so that the page works under any path. */
export type Route =
  | { view: 'overview' | 'rooms' | 'servers' | 'machines' | 'unknown' }
  /** `name` is the raw name. */
  | { view: 'room'; name: string };

const fragment = signal(location.hash);
addEventListener('hashchange', () => {
  fragment.value = location.hash;
});

/** Where the page is. */
export const route = computed(() => routeOf(fragment.value));

/** The address of a room within the page. */
export const roomHref = (name: string) => `#/room/${encodedName(name)}`;

function routeOf(hash: string): Route {
  const path = hash.replace(/^#?\/?/, '');
  if (path === '') return { view: 'overview' };
  if (path === 'rooms' || path === 'servers' || path === 'machines') return { view: path };
  if (path.startsWith('room/')) return { view: 'room', name: decoded(path.slice('room/'.length)) };
  return { view: 'unknown' };
}

/** Addresses are typed by hand, too: what cannot be decoded is taken as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
