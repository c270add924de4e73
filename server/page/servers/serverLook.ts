import { computed } from '@preact/signals';
import { servers } from '../model/fleet.js';
import { visible } from '../model/roomNames.js';
import { noColor, SeriesColors } from './seriesColors.js';
import { shortNames, toldName } from './serverNames.js';
import { compareServers } from './serverOrder.js';

/** How the page calls and colors a server, the same in every view. */
export interface ServerLook {
  /** The name that it told; undefined: none. */
  name: string | undefined;
  /** For where space is short: the name, or a part of the address. */
  shortName: string;
  /** For messages and tooltips: the name and the address. */
  fullName: string;
  color: string;
}

const seriesColors = new SeriesColors();

/** All servers but removed ones, by name or by id without one: `web-2` is before `web-10`. */
export const presentServers = computed(() =>
  servers.value.filter(({ state }) => state !== 'gone').sort(compareServers),
);

const looks = computed(() => {
  const shown = presentServers.value;
  const shortName = shortNames(shown);
  const colors = seriesColors.of(shown);
  return new Map<string, ServerLook>(
    shown.map((server) => {
      const { id } = server;
      const name = toldName(server.name);
      const fullName = name === undefined ? id : `${name} at ${id}`;
      const called = { name, shortName: shortName.get(id) ?? id, fullName };
      return [id, { ...called, color: colors.get(id) ?? noColor }];
    }),
  );
});

/** Changes only when a server is added, removed, renamed or gets its color. */
export const presentLooks = computed(() =>
  [...looks.value].map(([id, { shortName, color }]) => `${id} ${shortName} ${color}`).join('\n'),
);

/** The look of a server. One that was removed, or never known, has no name and no color. */
export const lookOf = (id: string): ServerLook => looks.value.get(id) ?? unknownLook(visible(id));

const unknownLook = (id: string): ServerLook => ({
  name: undefined,
  shortName: id,
  fullName: id,
  color: noColor,
});
