import type { ServerView } from '../../wire/serverView.js';

/** Colors of the style sheet: `--series-1` and so on. */
const colorCount = 8;
/** Above this many, only the servers that are there are remembered. */
const maxRemembered = 10_000;

type ColoredServer = Pick<ServerView, 'id' | 'name' | 'connections'>;

/** The color of servers that have none. */
export const noColor = 'var(--series-rest)';

/**
 * The color of each server. It belongs to the name of the server, or to its address without one: it stays while
 * others come and go, and the page begins with nearly the same colors each time. Two servers have the same color
 * only if there are more than eight.
 */
export class SeriesColors {
  /** By key, also of servers that left: one that returns finds its color. */
  readonly #places = new Map<string, number>();
  /** The key that each address had last. */
  readonly #keys = new Map<string, string>();
  #present: ReadonlySet<string> = new Set();

  /** The colors of these servers, by id. Those that come together get theirs in the order given. */
  of(servers: readonly ColoredServer[]): Map<string, string> {
    const keys = servers.map((server) => this.#keyOf(server));
    this.#assign(new Set(keys.filter((key) => key !== undefined)));
    if (this.#places.size > maxRemembered) this.#forgetAbsent(servers);
    const colorOf = (key: string | undefined) => colorAt(this.#places.get(key ?? ''));
    return new Map(servers.map(({ id }, i) => [id, colorOf(keys[i])]));
  }

  /** Undefined: a server tells its name with its counts. Before them, its name may still be unknown. */
  #keyOf({ id, name, connections }: ColoredServer): string | undefined {
    // With a prefix, because a server may be named like the address of another.
    const own = connections === null ? undefined : `address ${id}`;
    // After a restart of the service the name is unknown until the server answers.
    const key = name === undefined ? (this.#keys.get(id) ?? own) : `name ${name}`;
    if (key !== undefined) this.#keys.set(id, key);
    return key;
  }

  /** Servers that stay keep their color, and those that return have it again unless it is taken. */
  #assign(present: ReadonlySet<string>): void {
    const arrived = [...present].filter((key) => !this.#present.has(key));
    const taken = new Set([...present].filter((key) => this.#present.has(key)).map(this.#placeOf));
    this.#present = present;
    const unplaced = arrived.filter((key) => {
      const place = this.#places.get(key);
      if (place === undefined || taken.has(place)) return true;
      taken.add(place);
      return false;
    });
    if (unplaced.length > 0) this.#place(unplaced, taken);
  }

  /** First those whose own color is free, then the others. Colors of servers that left are taken last. */
  #place(keys: readonly string[], taken: Set<number>): void {
    const left = [...this.#places].filter(([key]) => !this.#present.has(key));
    const awaited = new Set(left.map(([, place]) => place));
    const isFree = (place: number) => !taken.has(place) && !awaited.has(place);
    const put = (key: string, place: number) => {
      this.#places.set(key, place);
      taken.add(place);
    };
    const rest = keys.filter((key) => {
      const own = ownPlace(key);
      if (!isFree(own)) return true;
      put(key, own);
      return false;
    });
    for (const key of rest) {
      const places = placesFrom(this.#places.get(key) ?? ownPlace(key));
      const next = places.find(isFree) ?? places.find((place) => !taken.has(place));
      put(key, next ?? ownPlace(key));
    }
  }

  readonly #placeOf = (key: string): number => this.#places.get(key) ?? ownPlace(key);

  #forgetAbsent(servers: readonly ColoredServer[]): void {
    for (const key of this.#places.keys()) if (!this.#present.has(key)) this.#places.delete(key);
    const ids = new Set(servers.map(({ id }) => id));
    for (const id of this.#keys.keys()) if (!ids.has(id)) this.#keys.delete(id);
  }
}

/**
 * The color that a name has by itself. Names that differ in the number at their end only, such as `web-1` and
 * `web-2`, have neighboring colors, so eight of them have eight.
 */
export function ownPlace(key: string): number {
  const [, digits = ''] = /(\d{1,6})$/.exec(key) ?? [];
  const rest = key.slice(0, key.length - digits.length);
  return (hashOf(rest) + Number(digits)) % colorCount;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1)
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

const placesFrom = (first: number) =>
  Array.from({ length: colorCount }, (_, i) => (first + i) % colorCount);

const colorAt = (place: number | undefined) =>
  place === undefined ? noColor : `var(--series-${place + 1})`;
