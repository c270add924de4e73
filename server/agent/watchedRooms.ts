/** A list of rooms that somebody looks at, and where their content goes. */
export interface WatchList {
  readonly rooms: ReadonlySet<string>;
  /** Undefined: to the URL of the activation. */
  readonly eventsUrl: string | undefined;
}

const nothing: WatchList = { rooms: new Set(), eventsUrl: undefined };

/** The rooms that the dashboard wants the content of. The list ends by itself if it is not repeated. */
export class WatchedRooms {
  readonly #lifetimeMs: number;
  #list = nothing;
  #timer: NodeJS.Timeout | undefined;

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  get list(): WatchList {
    return this.#list;
  }

  has(room: string): boolean {
    return this.#list.rooms.has(room);
  }

  /** Replaces the list. Returns the rooms whose receiver has nothing of them yet. */
  replace(list: WatchList): string[] {
    const before = this.#list;
    this.end();
    if (list.rooms.size === 0) return [];
    this.#list = list;
    this.#timer = setTimeout(() => this.end(), this.#lifetimeMs).unref();
    const isSameReceiver = before.eventsUrl === list.eventsUrl;
    return [...list.rooms].filter((room) => !isSameReceiver || !before.rooms.has(room));
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#list = nothing;
  }
}
