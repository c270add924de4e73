import { computed } from '@preact/signals';
import { servers } from '../model/fleet.js';

const seriesColors = 8;

/** All servers but removed ones, sorted by id. */
export const presentServers = computed(() => servers.value.filter(({ state }) => state !== 'gone'));

/** Changes only when a server is added or removed. */
export const presentIds = computed(() => presentServers.value.map(({ id }) => id).join(' '));

const places = computed(() => new Map(presentServers.value.map(({ id }, place) => [id, place])));

/** The color of a server, the same in every view. */
export function colorOf(id: string): string {
  const place = places.value.get(id);
  return place === undefined ? 'var(--series-rest)' : `var(--series-${(place % seriesColors) + 1})`;
}

/** The shortest part of each id that still tells the servers apart. */
export const shortIds = computed(() => {
  const ids = presentServers.value.map(({ id }) => id);
  const hosts = new Set(ids.map(hostOf));
  const ports = new Set(ids.map(portOf));
  const isPortEnough = ids.length > 1 && hosts.size === 1;
  const isHostEnough = ids.length > 1 && ports.size === 1;
  return new Map(ids.map((id) => [id, isPortEnough ? portOf(id) : isHostEnough ? hostOf(id) : id]));
});

const hostOf = (id: string) => id.slice(0, id.lastIndexOf(':'));
const portOf = (id: string) => id.slice(id.lastIndexOf(':'));
