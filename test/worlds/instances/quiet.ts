import type { ServerId, ServerRequest } from '../../../machines/ports.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { SimulatedInstance } from './simulatedInstance.js';

/** A leader learns of a viewer that left, and a server is told, within this time. */
const slackMs = 1000;
/** How long a fault may cause requests: retries, confirmations, evidence that recurs. */
const causeMs = 20_000;
/** A leader may not notice a viewer that is at a follower for less. */
const visitMs = 500;

/** Promise 2: silent by default, over all instances. */
export class Quiet {
  readonly #world: InstancesWorld;
  #watchedAtMs = 0;
  /** Since when somebody looks without a pause. */
  #cameAtMs = 0;
  /** When somebody last looked whom the leader must have noticed. */
  #noticedAtMs = 0;
  #isWatched = false;
  /** When the first viewer of all came. */
  #activatedAtMs = 0;
  #tookOverAtMs = 0;

  constructor(world: InstancesWorld) {
    this.#world = world;
  }

  atTakeover(): void {
    this.#tookOverAtMs = this.#world.nowMs;
  }

  atBody(instance: SimulatedInstance, server: ServerId, { type }: ServerRequest): void {
    if (type === 'silence.requested') {
      this.#checkSilence(server);
      return;
    }
    const { nowMs, plan } = this.#world;
    const unwatchedMs = nowMs - Math.max(this.#watchedAtMs, this.#tookOverAtMs);
    if (unwatchedMs > plan.timing.lingerMs + slackMs)
      this.#fail(`${instance.name} sends ${type} to ${server}, and nobody looks`);
    // While posts of it are missing, snapshots are requested in place of probes.
    if (type === 'activity.requested' && !instance.fleet?.misses(server)) this.#checkCause(server);
  }

  /** A server is not silenced while somebody looks. */
  #checkSilence(server: ServerId): void {
    const { nowMs, disturbedAtMs, ongoing } = this.#world;
    const sinceMs = Math.max(this.#activatedAtMs, disturbedAtMs, this.#tookOverAtMs);
    if (this.#isWatched && ongoing.size === 0 && nowMs - sinceMs > causeMs)
      this.#fail(`${server} is silenced, and somebody looks`);
  }

  /** Where no delta is lost there is no resync: each snapshot has another cause. */
  #checkCause(server: ServerId): void {
    const { nowMs, disturbedAtMs, ongoing, plan, hosts } = this.#world;
    if (plan.isRough || ongoing.size > 0) return;
    this.#world.countCheck('a request with a cause');
    const host = hosts.find(({ id }) => id === server);
    const sinceMs = Math.max(
      this.#activatedAtMs,
      this.#tookOverAtMs,
      disturbedAtMs,
      host?.undisturbedSinceMs ?? 0,
    );
    if (nowMs - sinceMs > causeMs) this.#fail(`${server} is asked for no reason`);
  }

  afterStep(): void {
    const { sites, nowMs, ongoing } = this.#world;
    const isWatched =
      ongoing.size > 0 || sites.some(({ process }) => (process?.streams.size ?? 0) > 0);
    if (isWatched && nowMs - this.#noticedAtMs > this.#world.plan.timing.lingerMs)
      this.#activatedAtMs = nowMs;
    if (isWatched) this.#watchedAtMs = nowMs;
    else this.#cameAtMs = nowMs;
    if (isWatched && nowMs - this.#cameAtMs > visitMs) this.#noticedAtMs = nowMs;
    this.#isWatched = isWatched;
  }

  #fail(why: string): void {
    this.#world.fail('2: silent', why);
  }
}
