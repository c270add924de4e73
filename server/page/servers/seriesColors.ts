import type { ServerView } from '../../wire/serverView.js';

/** Colors of the style sheet: `--series-1` and so on. */
const seriesColors = 8;
/** Above this many, only the servers that are there are kept. */
const maxKept = 10_000;

type ColoredServer = Pick<ServerView, 'id' | 'name' | 'connections'>;

/** The color of servers that have none. */
export const noColor = 'var(--series-rest)';

/**
 * The color of each server. It belongs to the name of the server, or to its address without one, so it
 * stays the same while servers come and go, and restart on other ports.
 */
export class SeriesColors {
  readonly #places = new Map<string, number>();
  #next = 0;

  /** The colors of these servers, by id. New ones get the next colors, in the order given. */
  of(servers: readonly ColoredServer[]): Map<string, string> {
    const colors = new Map(servers.map((server) => [server.id, colorAt(this.#placeOf(server))]));
    if (this.#places.size > maxKept) this.#keepOnly(servers);
    return colors;
  }

  #placeOf(server: ColoredServer): number | undefined {
    const key = keyOf(server);
    const place = this.#places.get(key) ?? this.#newPlace(server);
    if (place === undefined) return undefined;
    this.#places.set(key, place);
    // After a restart of the service the name is unknown until the server answers.
    this.#places.set(addressKey(server), place);
    return place;
  }

  /** A server tells its name with its counts. Before them, its name may still be unknown. */
  #newPlace({ name, connections }: ColoredServer): number | undefined {
    if (name === undefined && connections === null) return undefined;
    this.#next += 1;
    return this.#next - 1;
  }

  #keepOnly(servers: readonly ColoredServer[]): void {
    const kept = new Set(servers.flatMap((server) => [keyOf(server), addressKey(server)]));
    for (const key of this.#places.keys()) if (!kept.has(key)) this.#places.delete(key);
  }
}

/** With a prefix, because a server may be named like the address of another. */
const addressKey = ({ id }: ColoredServer) => `address ${id}`;
const keyOf = (server: ColoredServer) =>
  server.name === undefined ? addressKey(server) : `name ${server.name}`;

const colorAt = (place: number | undefined) =>
  place === undefined ? noColor : `var(--series-${(place % seriesColors) + 1})`;
