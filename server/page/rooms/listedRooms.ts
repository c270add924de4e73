import { computed, effect, signal, untracked } from '@preact/signals';
import { roomIndex, roomsVersion } from '../model/fleet.js';
import { query, route, setQuery } from '../router.js';
import { type ListSettings, readSettings, writeSettings } from './listSettings.js';

const usual = readSettings(new URLSearchParams());
let last = usual;

/** The settings in the address. The object changes only with them. */
export const listSettings = computed((): ListSettings => {
  const next = route.value.view === 'rooms' ? readSettings(query.value) : usual;
  if (!isSame(next, last)) last = next;
  return last;
});

const isSame = (a: ListSettings, b: ListSettings) =>
  (Object.keys(a) as (keyof ListSettings)[]).every((key) => a[key] === b[key]);

/** Changes settings. `push`: the Back button undoes it. */
export function change(changes: Partial<ListSettings>, kind: 'push' | 'replace' = 'replace'): void {
  setQuery(writeSettings(changes), kind);
}

/** Whether the counts by prefix are shown. */
export const isByPrefix = signal(false);

// The index has what the next render shows.
effect(() => {
  const { query: text, prefix, order, show } = listSettings.value;
  const isLive = show === 'connected';
  const isCounting = isLive && (isByPrefix.value || prefix !== '') && route.value.view === 'rooms';
  untracked(() => {
    roomIndex.filter(isLive ? { query: text.trim(), prefix } : { query: '', prefix: '' });
    roomIndex.sort(isLive && order === 'name' ? 'name' : 'connections');
    roomIndex.countPrefixes(isCounting);
    roomsVersion.value += 1;
  });
});
