import type { RoomName } from '../../../machines/ports.js';
import type { Position } from '../../fleet/changesHistory.js';
import type { FleetChanges } from '../../wire/fleetEvents.js';
import type { ServerView } from '../../wire/serverView.js';
import type { UpstreamEvent } from './upstream.js';

/** Rooms and servers as a leader has sent them, at one of its versions. */
export interface Fleet {
  position: Position;
  readonly rooms: Map<RoomName, number>;
  readonly servers: Map<string, ServerView>;
}

/** What one event changes. */
export interface Change {
  readonly position: Position;
  readonly rooms: readonly (readonly [room: RoomName, count: number])[];
  readonly servers: readonly ServerView[];
}

/** Reads an event `changes` or `servers`. Throws if it is not JSON. */
export function parseChange({ id, data }: UpstreamEvent): Change {
  const { version, servers = [], rooms = {} } = JSON.parse(data.toString()) as FleetChanges;
  return { position: { version, id }, rooms: Object.entries(rooms), servers };
}

/** Applies a change to a fleet. Throws if it is not the next one. */
export function applyChange(fleet: Fleet, { position, rooms, servers }: Change): void {
  const isNext =
    position.version === fleet.position.version + 1 &&
    activationOf(position) === activationOf(fleet.position);
  if (!isNext) throw new Error(`${position.id} came after ${fleet.position.id}`);
  fleet.position = position;
  for (const [room, count] of rooms) {
    if (count > 0) fleet.rooms.set(room, count);
    else fleet.rooms.delete(room);
  }
  for (const server of servers) {
    if (server.state === 'gone') fleet.servers.delete(server.id);
    else fleet.servers.set(server.id, server);
  }
}

/** `<term>.<activation>` of an event id: its leader drops all counts between two of them. */
export function activationOf({ id }: Position): string {
  return id.slice(0, id.lastIndexOf('-'));
}

/** The term of an event id. */
export function termOf({ id }: Pick<Position, 'id'>): number {
  return Number(id.slice(0, id.indexOf('.')));
}

const idParts = /^(\d+)\.(\d+)-(\d+)$/;

/** Whether an event id comes after another one. False if the text is not an event id. */
export function isNewer(id: string, other: string): boolean {
  const [, ...parts] = idParts.exec(id)?.map(Number) ?? [];
  const [, ...others] = idParts.exec(other)?.map(Number) ?? [];
  const at = parts.findIndex((part, i) => part !== others[i]);
  return at >= 0 && Number(parts[at]) > Number(others[at]);
}
