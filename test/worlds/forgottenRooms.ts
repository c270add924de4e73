import type { World } from './world.js';

/**
 * The connections of one server that its snapshots miss: it forgets a room whose only user reloads just
 * when the room is being dropped. When such a connection closes, that is posted all the same.
 */
export class ForgottenRooms {
  /** Connections that are missed, by room. */
  readonly #hidden = new Map<string, number>();
  /** Those of them that the last snapshot missed. */
  #missed = new Map<string, number>();
  /** Whether one of those has closed since. */
  isMistaken = false;

  of(room: string): number {
    return this.#hidden.get(room) ?? 0;
  }

  add(room: string): void {
    this.#hidden.set(room, this.of(room) + 1);
  }

  /** One of so many connections to a room closes; the hidden one, if it is the only one left or chance has it. */
  close(room: string, count: number, chance: () => boolean): void {
    const hidden = this.of(room);
    if (hidden === 0 || (hidden < count && !chance())) return;
    this.#hidden.set(room, hidden - 1);
    const missed = this.#missed.get(room) ?? 0;
    if (missed === 0) return;
    this.#missed.set(room, missed - 1);
    this.isMistaken = true;
  }

  /** What a snapshot says of these rooms. */
  snapshotOf(rooms: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    this.#missed = new Map(this.#hidden);
    this.isMistaken = false;
    const hasHidden = [...this.#hidden.values()].some((hidden) => hidden > 0);
    if (!hasHidden) return rooms;
    return new Map(
      [...rooms].flatMap(([room, count]) => {
        const seen = count - this.of(room);
        return seen > 0 ? [[room, seen] as const] : [];
      }),
    );
  }
}

/** How much later somebody else comes after the user of a forgotten room has left. */
const comesAfterMs = [1, 20, 200, 400, 700, 1500, 5000];

/**
 * The same where nothing else goes wrong: nothing but the dip tells of it. To be called with somebody
 * looking on.
 */
export function forgetRoomInCalm(world: World): void {
  const { further, hosts, plan } = world;
  const host = further.pick(hosts.filter(({ isUp, process }) => isUp && process?.isActive));
  const room = further.pick(plan.rooms);
  const { process } = host ?? {};
  if (!host || !process || room === undefined) return;
  const seen = () => (process.rooms.get(room) ?? 0) - process.forgotten.of(room);
  if (seen() === 0) host.open(room);
  while (seen() > 1) host.close(room);
  if (process.rooms.get(room) !== 1) return;
  world.advance(50);
  host.reload(room);
  host.post(process.eventsUrl, '{');
  host.disturb();
  world.advance(3000);
  host.close(room);
  world.advance(further.pick(comesAfterMs) ?? 0);
  host.open(room);
}

/** A room of one connection is forgotten, at some server; often it is asked for a snapshot then. */
export function forgetRoom(world: World): void {
  const { further, hosts, plan } = world;
  const isAny = further.chance(0.3);
  const host = further.pick(
    hosts.filter(({ isUp, process }) => isUp && (isAny || process?.isActive)),
  );
  const room = further.pick(plan.rooms);
  const { process } = host ?? {};
  if (!host || !process || room === undefined) return;
  const seen = (process.rooms.get(room) ?? 0) - process.forgotten.of(room);
  if (seen > 1) return;
  if (seen === 0) host.open(room);
  world.countFault('room forgotten');
  world.note(() => `${host.id} forgets "${room}", whose only user reloads`);
  host.reload(room);
  if (!process.isActive || further.chance(0.3)) return;
  host.post(process.eventsUrl, '{');
  host.disturb();
  const leavesMs = further.between(300, 5000);
  world.later(leavesMs, () => world.isCalm || host.close(room));
  const comesMs = leavesMs + (further.pick(comesAfterMs) ?? 0);
  world.later(comesMs, () => world.isCalm || host.open(room));
}
