import type { SimulatedService } from './simulatedService.js';
import { Watcher } from './watcher.js';
import type { World } from './world.js';

/** What may be sent at once to one who resumes: the ring keeps no more. */
const maxResumedFrames = 1024;
/** Those that left and may come back. */
const maxDeparted = 8;

/** The people who look, of all runs of the service: they come, read or not, leave, and come back. */
export class Viewers {
  readonly #world: World;
  readonly #departed: Watcher[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  admit(): void {
    const { service, oracle } = this.#world;
    if (!service?.isServing) return;
    const watcher = this.#whoComes();
    const { frames, lastEventId } = watcher;
    oracle.atAdmission(service, () => service.admit(watcher));
    this.#world.note(() => `a viewer (${watcher.kind}) comes: ${service.watchers.length}`);
    if (frames > 0 && lastEventId !== undefined) this.#checkResumed(watcher, frames);
    this.#maybeStall(watcher);
  }

  dismiss(): void {
    const { service, random } = this.#world;
    const watcher = random.pick(service?.watchers ?? []);
    if (!service || !watcher) return;
    service.dismiss(watcher);
    this.#depart(watcher);
    this.#world.note(() => `a viewer leaves: ${service.watchers.length}`);
  }

  /** The service ends, and every stream with it. */
  loseStreams({ watchers }: SimulatedService): void {
    for (const watcher of watchers) this.#depart(watcher);
  }

  /** Everybody reads. */
  drain(): void {
    for (const watcher of this.#world.service?.watchers ?? []) watcher.drain(true);
  }

  checkSent(): void {
    for (const { complaints } of this.#world.service?.watchers ?? [])
      if (complaints.length > 0) this.#world.fail('5: honest', `a viewer is sent ${complaints}`);
  }

  #depart(watcher: Watcher): void {
    watcher.hangUp();
    this.#departed.push(watcher);
    if (this.#departed.length > maxDeparted) this.#departed.shift();
  }

  #whoComes(): Watcher {
    const { aside, plan } = this.#world;
    const { returnChance, wholeMapChance } = plan.viewers;
    if (this.#departed.length > 0 && aside.chance(returnChance)) {
      const [watcher] = this.#departed.splice(aside.between(0, this.#departed.length - 1), 1);
      if (watcher) return watcher;
    }
    return new Watcher(aside.chance(wholeMapChance) ? 'rooms' : 'changes');
  }

  #checkResumed({ frames }: Watcher, before: number): void {
    const sent = frames - before;
    this.#world.countCheck(sent === 1 ? 'one frame to a viewer that came back' : 'frames resumed');
    if (sent > maxResumedFrames)
      this.#world.fail('7: bounded memory', `${sent} frames are kept for those who come back`);
  }

  /** It reads nothing for a while, and is sent what fits, or nothing. */
  #maybeStall(watcher: Watcher): void {
    const { aside, plan, isCalm } = this.#world;
    if (isCalm || !aside.chance(plan.viewers.stallChance)) return;
    const bytes = aside.pick([1, 1024 * 1024]);
    const isAnnounced = aside.chance(0.5);
    this.#world.countFault('viewer stalls');
    this.#world.later(aside.between(0, 500), () => {
      const { service, isCalm } = this.#world;
      if (!isCalm && service?.watchers.includes(watcher)) watcher.stall(bytes);
    });
    this.#world.later(aside.between(500, 20_000), () => watcher.drain(isAnnounced));
  }
}
