import type { InstancesWorld } from './instancesWorld.js';
import type { Person, StreamEvent } from './person.js';

/** Everybody has read a count that has not changed for this long. */
const settledMs = 3000;
/** An instance waits a second for its leader before it answers a viewer, and the answer travels. */
const catchUpMs = 1500;
/** How long after numbers could not be kept a viewer may be shown a part of them. */
const recoveryMs = 15_000;

/** Promises 4 and 5: an event id means the same map everywhere, and what was right stays. */
export class SameEverywhere {
  readonly #world: InstancesWorld;
  readonly #maps = new Map<string, string>();
  /** What each viewer was shown before. */
  readonly #shown = new WeakMap<Person, ReadonlyMap<string, number>>();

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  atRead(person: Person, { name, id }: StreamEvent): void {
    if (name !== 'status' && id !== undefined) this.#checkId(person);
    // A viewer that returns reads all changes that it missed, at once.
    const isCatchingUp = name === 'changes' && this.#world.nowMs - person.attachedAtMs < catchUpMs;
    if (!isCatchingUp) this.#checkSteady(person);
    if (person.hasMap) this.#shown.set(person, new Map(person.rooms));
  }

  #checkId({ name, site, lastEventId = '', rooms }: Person): void {
    const map = JSON.stringify([...rooms].sort());
    const known = this.#maps.get(lastEventId);
    if (known === undefined) this.#maps.set(lastEventId, map);
    else {
      this.#world.countCheck('the same everywhere');
      if (known !== map)
        this.#world.fail(
          '4: anywhere',
          `${name} at ${site?.name} has ${map} at ${lastEventId}, others have ${known}`,
        );
    }
  }

  /** A number that was right, and has not changed, is not taken away. */
  #checkSteady(person: Person): void {
    const { plan, nowMs, brokenOffAtMs, hosts } = this.#world;
    const before = this.#shown.get(person);
    // A new leader does not wait for a server that does not answer in time.
    if (!before || plan.isRough || plan.isLate) return;
    if (nowMs - brokenOffAtMs < plan.timing.lingerMs + recoveryMs) return;
    for (const room of plan.rooms) {
      const was = before.get(room) ?? 0;
      const is = person.rooms.get(room) ?? 0;
      if (was === is || nowMs - (this.#world.roomChangedAtMs.get(room) ?? 0) < settledMs) continue;
      this.#world.countCheck('a number that changes');
      const true_ = hosts.reduce((sum, { process }) => sum + (process?.rooms.get(room) ?? 0), 0);
      if (was === true_)
        this.#world.fail('5: rolling', `${person.name} sees ${is} in "${room}", it was ${was}`);
    }
  }
}
