import type { ServerId } from '../../machines/ports.js';
import type { FeedSource } from '../../server/fleet/feedSource.js';
import type { FeedStatus } from '../../server/wire/fleetEvents.js';
import type { ServerView } from '../../server/wire/serverView.js';

/** A source whose counts a test sets. */
export class FakeSource implements FeedSource {
  readonly totals = new Map<string, number>();
  readonly fleet = new Map<string, ServerView>();
  state = 'active';
  complete = true;
  #rooms = new Set<string>();
  #servers = new Set<string>();

  set(room: string, count: number): void {
    if (count === 0) this.totals.delete(room);
    else this.totals.set(room, count);
    this.#rooms.add(room);
  }

  setServer(id: string, state: string): void {
    const nothing = {
      lastHeardAt: null,
      epoch: null,
      rooms: 0,
      connections: 0,
      overLimit: false,
      lastFailure: null,
      callback: null,
    };
    this.fleet.set(id, { ...nothing, id: id as ServerId, state });
    this.#servers.add(id);
  }

  takeChangedRooms(): Set<string> {
    const rooms = new Set(this.#rooms);
    this.#rooms.clear();
    return rooms;
  }

  takeChangedServers(): ServerView[] {
    const changed = this.servers().filter(({ id }) => this.#servers.has(id));
    this.#servers.clear();
    return changed;
  }

  servers(): ServerView[] {
    return [...this.fleet.values()];
  }

  status(): FeedStatus {
    const reason = this.complete ? null : 'servers_missing';
    return { state: this.state, complete: this.complete, reason };
  }
}
