import type { FleetChanges, FleetStatus } from '../../wire/fleetEvents.js';
import type { ServerView } from '../../wire/serverView.js';
import { steadyNow } from '../steadyNow.js';
import type { FleetUpdate, RoomColumns, StreamEvent } from './messages.js';

/** The order of the room list: most connections first, then by raw name. */
export function compareRooms(countA: number, nameA: string, countB: number, nameB: string): number {
  return countB - countA || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0);
}

/** The fleet as `GET /api/events?stream=changes` has reported it, for tabs that join later. */
export class FleetState {
  readonly #rooms = new Map<string, number>();
  readonly #servers = new Map<string, ServerView>();
  #state: string | undefined;
  #complete: boolean | undefined;
  #reason: string | null | undefined;
  /** Since when the numbers have been out of date, by `steadyNow()`; null: they are current. */
  #outdatedSinceMs: number | null = null;

  /** Applies an event and returns the change; undefined: unknown event. */
  apply({ event, data }: StreamEvent): FleetUpdate | undefined {
    if (event === 'status') return this.#applyStatus(JSON.parse(data) as FleetStatus);
    if (!['snapshot', 'changes', 'servers'].includes(event)) return undefined;
    const { state, complete, reason, servers = [], rooms = {} } = JSON.parse(data) as FleetChanges;
    this.#state = state ?? this.#state;
    this.#complete = complete ?? this.#complete;
    if (reason !== undefined) this.#reason = reason;
    if (event === 'snapshot') {
      this.#rooms.clear();
      this.#servers.clear();
    }
    const entries = Object.entries<number>(rooms);
    for (const [name, count] of entries) this.#setRoom(name, count);
    for (const server of servers) this.#setServer(server);
    if (event === 'snapshot') return this.snapshot();
    const columns = { names: entries.map(([name]) => name), counts: entries.map(([, n]) => n) };
    return { kind: 'changes', state, complete, reason, servers, rooms: columns };
  }

  /** The complete state; undefined: nothing is known yet. */
  snapshot(): FleetUpdate | undefined {
    if (this.#state === undefined) return undefined;
    const servers = [...this.#servers.values()];
    const update: FleetUpdate = {
      kind: 'snapshot',
      state: this.#state,
      servers,
      rooms: this.#columns(),
    };
    if (this.#complete !== undefined) update.complete = this.#complete;
    if (this.#reason !== undefined) update.reason = this.#reason;
    const sinceMs = this.#outdatedSinceMs;
    return { ...update, ageMs: sinceMs === null ? null : steadyNow() - sinceMs };
  }

  /** Instances of a cluster tell the status by itself. */
  #applyStatus({ state, complete, reason, ageMs }: FleetStatus): FleetUpdate {
    this.#state = state;
    this.#complete = complete;
    this.#reason = reason;
    this.#outdatedSinceMs = ageMs === undefined ? null : steadyNow() - ageMs;
    return { kind: 'changes', state, complete, reason, ageMs: ageMs ?? null };
  }

  #columns(): RoomColumns {
    const entries = [...this.#rooms].sort(([a, n], [b, m]) => compareRooms(n, a, m, b));
    return { names: entries.map(([name]) => name), counts: entries.map(([, count]) => count) };
  }

  #setRoom(name: string, count: number): void {
    if (count > 0) this.#rooms.set(name, count);
    else this.#rooms.delete(name);
  }

  #setServer(server: ServerView): void {
    if (server.state === 'gone') this.#servers.delete(server.id);
    else this.#servers.set(server.id, server);
  }
}
