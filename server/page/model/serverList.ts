import type { ServerDetails, ServerView } from '../../wire/serverView.js';

/** A pub-sub server: its current view and what this page saw before. */
export interface ServerRow extends ServerDetails {
  /** When it was removed. It is still shown for a while. */
  goneAtMs?: number;
  /** When its connections last left the totals, if this page saw it. */
  awaySinceMs?: number | undefined;
  /** When it answered again after that. */
  returnedAtMs?: number | undefined;
  /** It was unreachable, and is being asked again. */
  isReturning?: boolean;
  /** Its numbers when it last had any, if it has none now. */
  last?: LastNumbers | undefined;
}

/** What was known of a server. */
export interface LastNumbers {
  readonly connections: number;
  readonly rooms: number;
  /** When the page heard it. */
  readonly atMs: number;
}

/** How long a removed server is still shown. */
export const goneShownMs = 10 * 60_000;

const isAway = (state: string) => state === 'unreachable' || state === 'gone';

/** The pub-sub servers. The stream tells states quickly, polls tell everything. */
export class ServerList {
  readonly #rows = new Map<string, ServerRow>();
  /** Not in the rows, which would be rendered again with each poll. */
  readonly #toldAtMs = new Map<string, number>();
  /** Servers that have told nothing since the stream was last cut. */
  readonly #unheard = new Set<string>();

  get rows(): ServerRow[] {
    return [...this.#rows.values()];
  }

  /** When the page heard the numbers of a server last. */
  toldAtMs(id: string): number {
    return this.#toldAtMs.get(id) ?? Number.NEGATIVE_INFINITY;
  }

  /** The stream was cut: until a server is heard of again, its numbers are of before. */
  cut(): void {
    for (const id of this.#rows.keys()) this.#unheard.add(id);
  }

  isOfBeforeCut(id: string): boolean {
    return this.#unheard.has(id);
  }

  /** Replaces the list. Missing servers count as removed, unless the service may not know them yet. */
  replace(views: readonly ServerDetails[], nowMs: number, { isWhole = true } = {}): void {
    const present = new Set(views.map(({ id }) => id));
    const missing = isWhole
      ? { state: 'gone', rooms: null, connections: null }
      : { state: 'unknown', rooms: null, connections: null, lastFailure: null };
    for (const row of this.rows)
      if (!present.has(row.id) && row.goneAtMs === undefined)
        this.update({ ...row, ...missing }, nowMs);
    for (const view of views) this.update(view, nowMs);
  }

  /** Updates one server. The stream does not say what it tells of itself, so a view may lack `agent`. */
  update(view: ServerView | ServerDetails, nowMs: number): void {
    const before = this.#rows.get(view.id);
    if (view.state === 'gone' && !before) return;
    const agent = 'agent' in view ? view.agent : before?.agent;
    const last = lastOf(before, view, this.toldAtMs(view.id));
    const row: ServerRow = { ...view, agent, ...pastOf(before, view.state, nowMs), last };
    this.#toldAtMs.set(view.id, nowMs);
    this.#unheard.delete(view.id);
    // The event of a removed server lacks its earlier details.
    if (view.state === 'gone' && before) {
      row.lastHeardAt = before.lastHeardAt;
      row.lastFailure = before.lastFailure;
    }
    // It is told with the numbers: a restarted service does not know it before.
    if (before && view.connections === null) row.name = view.name ?? before.name;
    // An unchanged row stays the same object and is not rendered again.
    if (!before || !isEqual(before, row)) this.#rows.set(view.id, row);
  }

  /** Drops servers that were removed long ago. */
  removeExpired(nowMs: number): void {
    for (const { id, goneAtMs } of this.rows)
      if (goneAtMs !== undefined && nowMs - goneAtMs > goneShownMs) {
        this.#rows.delete(id);
        this.#toldAtMs.delete(id);
        this.#unheard.delete(id);
      }
  }
}

/** What a server said before it had no numbers. */
function lastOf(
  before: ServerRow | undefined,
  { connections }: ServerView,
  atMs: number,
): LastNumbers | undefined {
  if (!before || connections !== null) return undefined;
  if (before.connections === null || before.rooms === null) return before.last;
  return { connections: before.connections, rooms: before.rooms, atMs };
}

function isEqual(a: ServerRow, b: ServerRow): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof ServerRow>;
  return [...keys].every((key) =>
    key === 'agent' ? JSON.stringify(a.agent) === JSON.stringify(b.agent) : a[key] === b[key],
  );
}

type Past = Pick<ServerRow, 'goneAtMs' | 'awaySinceMs' | 'returnedAtMs' | 'isReturning'>;

function pastOf(before: ServerRow | undefined, state: string, nowMs: number): Past {
  // The page knows only what it saw itself.
  if (!before) return state === 'gone' ? { goneAtMs: nowMs } : {};
  if (state === 'gone') return { goneAtMs: before.goneAtMs ?? nowMs };
  const wasAway = isAway(before.state) || before.isReturning === true;
  if (isAway(state)) return { awaySinceMs: wasAway ? before.awaySinceMs : nowMs };
  if (wasAway && state !== 'live') return { awaySinceMs: before.awaySinceMs, isReturning: true };
  if (wasAway) return { returnedAtMs: nowMs, awaySinceMs: before.awaySinceMs };
  return { returnedAtMs: before.returnedAtMs, awaySinceMs: before.awaySinceMs };
}
