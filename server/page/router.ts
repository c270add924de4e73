import { computed, signal } from '@preact/signals';
import { encodedName } from './model/roomNames.js';

/** The view, stored in the URL fragment, so that the page works under any path. */
export type Route =
  | { view: 'overview' | 'rooms' | 'servers' | 'machines' | 'unknown' }
  /** `name` is the raw name. */
  | { view: 'room'; name: string };

const fragment = signal(location.hash);
addEventListener('hashchange', () => {
  fragment.value = location.hash;
});

/** The current route. */
export const route = computed(() => routeOf(fragment.value));

/** The link to a room. */
export const roomHref = (name: string) => `#/room/${encodedName(name)}`;

function routeOf(hash: string): Route {
  const path = hash.replace(/^#?\/?/, '');
  if (path === '') return { view: 'overview' };
  if (path === 'rooms' || path === 'servers' || path === 'machines') return { view: path };
  if (path.startsWith('room/')) return { view: 'room', name: decoded(path.slice('room/'.length)) };
  return { view: 'unknown' };
}

/** Returns the text unchanged if it cannot be decoded: people also type addresses. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
