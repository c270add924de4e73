import type { ServerView } from '../../wire/serverView.js';

/** A pub-sub server as the page shows it: what the service says, and what was seen before. */
export interface ServerRow extends ServerView {
  /** When it was let go; it is still shown for a while. */
  goneAtMs?: number;
  /** When its connections left the totals, the last time that this page saw it. */
  awaySinceMs?: number | undefined;
  /** When it answered again after that: it was restarted, or the network cut. */
  returnedAtMs?: number | undefined;
  /** It was away, and has not answered yet. */
  isReturning?: boolean;
}

/** How long a server that was let go is still shown. */
export const goneShownMs = 10 * 60_000;

const isAway = (state: string) => state === 'unreachable' || state === 'gone';

/** The pub-sub servers, put together from the stream, which tells of states, and from polls, which tell of the rest. */
export class ServerBook {
  readonly #rows = new Map<string, ServerRow>();

  get rows(): ServerRow[] {
    return [...this.#rows.values()];
  }

  /** All servers that there are; those that are missing were let go. */
  replace(views: readonly ServerView[], nowMs: number): void {
    const present = new Set(views.map(({ id }) => id));
    for (const row of this.rows)
      if (!present.has(row.id) && row.goneAtMs === undefined)
        this.note({ ...row, state: 'gone', rooms: null, connections: null }, nowMs);
    for (const view of views) this.note(view, nowMs);
  }

  /** What is new about one. */
  note(view: ServerView, nowMs: number): void {
    const before = this.#rows.get(view.id);
    if (view.state === 'gone' && !before) return;
    const row: ServerRow = { ...view, ...pastOf(before, view.state, nowMs) };
    // A server that is let go is told of without what it was.
    if (view.state === 'gone' && before) {
      row.lastHeardAt = before.lastHeardAt;
      row.lastFailure = before.lastFailure;
    }
    // A row that is the same object need not be drawn again.
    if (!before || !isEqual(before, row)) this.#rows.set(view.id, row);
  }

  /** Drops those that were let go a good while ago. */
  tidy(nowMs: number): void {
    for (const { id, goneAtMs } of this.rows)
      if (goneAtMs !== undefined && nowMs - goneAtMs > goneShownMs) this.#rows.delete(id);
  }
}

function isEqual(a: ServerRow, b: ServerRow): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof ServerRow>;
  return [...keys].every((key) => a[key] === b[key]);
}

type Past = Pick<ServerRow, 'goneAtMs' | 'awaySinceMs' | 'returnedAtMs' | 'isReturning'>;

function pastOf(before: ServerRow | undefined, state: string, nowMs: number): Past {
  // Since when a server has been away is known of what was seen alone.
  if (!before) return state === 'gone' ? { goneAtMs: nowMs } : {};
  if (state === 'gone') return { goneAtMs: before.goneAtMs ?? nowMs };
  const wasAway = isAway(before.state) || before.isReturning === true;
  if (isAway(state)) return { awaySinceMs: wasAway ? before.awaySinceMs : nowMs };
  if (wasAway && state !== 'live') return { awaySinceMs: before.awaySinceMs, isReturning: true };
  if (wasAway) return { returnedAtMs: nowMs, awaySinceMs: before.awaySinceMs };
  return { returnedAtMs: before.returnedAtMs, awaySinceMs: before.awaySinceMs };
}
