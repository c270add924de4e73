import { createActor, type InspectionEvent } from 'xstate';
import type { ActivationActor } from '../../machines/activationMachine.js';
import { parseNetworks } from '../../server/addresses.js';
import { Feed } from '../../server/fleet/feed.js';
import { FleetView } from '../../server/fleet/fleetView.js';
import { AddressBook } from '../../server/pubsub/addressBook.js';
import { CallbackReceiver } from '../../server/pubsub/callbackReceiver.js';
import { EventTokens, type TokenClaims } from '../../server/pubsub/eventTokens.js';
import { parsePosted } from '../../server/pubsub/parsePosted.js';
import type { StartupAnswer, StartupQuery } from '../../server/pubsub/startupQuery.js';
import type { Bug } from './bug.js';
import { type Machines, residents } from './machines.js';
import { pubSubPort } from './plan.js';
import { SimulatedRequests } from './requests.js';
import { DiscoveryRounds } from './store.js';
import type { Watcher } from './watcher.js';
import type { World } from './world.js';

export const frameIntervalMs = 50;
export const networks = parseNetworks('10.0.0.0/16');
const shutdownMs = 7000;

/**
 * One run of the service: its own machine, callback receiver, tokens, view and feed, put together as
 * `server/wiring/wireService.ts` does, with the world's network in place of HTTP.
 */
export class SimulatedService {
  readonly actor: ActivationActor;
  readonly view: FleetView;
  readonly feed: Feed;
  readonly tokens: EventTokens;
  readonly startedAtMs: number;
  readonly watchers: Watcher[] = [];
  readonly requests: SimulatedRequests;
  isStopped = false;
  isShuttingDown = false;
  /** Since when nobody has been looking. */
  unwatchedSinceMs = 0;
  /** When the first viewer of all came last. */
  activatedAtMs = 0;
  /** When a post was last taken. */
  lastTakenAtMs = Number.NEGATIVE_INFINITY;
  /** How many posts were taken. */
  taken = 0;
  readonly #world: World;
  readonly #receiver: CallbackReceiver;
  readonly #prefix: string;

  constructor(
    world: World,
    run: number,
    machines: Machines,
    bug: Bug | undefined,
    inspect?: (event: InspectionEvent) => void,
  ) {
    this.#world = world;
    this.requests = new SimulatedRequests(world, this);
    this.startedAtMs = world.clock.nowMs;
    this.unwatchedSinceMs = world.clock.nowMs;
    this.tokens = new EventTokens(Buffer.from(`run ${run}`));
    this.#prefix = `http://dashboard/${run}/api/events`;
    const { timing, hosts, limits } = world.plan;
    const servers = hosts.filter(({ isConfigured }) => isConfigured).map(({ id }) => id);
    this.actor = createActor(machines.activation, {
      id: 'activation',
      clock: world.clock,
      input: { timing, servers, limits },
      ...(inspect && { inspect }),
    });
    residents.set(this.actor.system, this);
    bug?.spoil?.(this.actor.getSnapshot().context);
    this.actor.subscribe({
      error: (error) => world.fail('7: the machine stopped', String(error)),
    });
    const send = this.actor.send.bind(this.actor);
    this.actor.send = (event) => {
      world.oracle.atEvent(event);
      send(event);
    };
    this.view = new FleetView(this.actor);
    this.feed = new Feed(this.view, { run: String(run), frameIntervalMs });
    const book = new AddressBook({ networks, ownPort: 8000 });
    this.#receiver = new CallbackReceiver({
      actor: this.actor,
      book,
      tokens: this.tokens,
      urlOf: (token) => this.urlOf(token),
      unusedUrl: this.urlOf(''),
      pubSubPort,
      resyncIntervalMs: timing.resyncIntervalMs,
      onHeard: (server) => this.view.noteHeard(server),
      observe: () => {},
      takeUpdate: () => {},
      takeContent: () => {},
      noteLostContent: () => {},
    });
  }

  start(): void {
    this.actor.start();
  }

  /** Whether viewers are let in. */
  get isServing(): boolean {
    return !this.isStopped && !this.isShuttingDown;
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  get state(): string {
    return this.view.state().state;
  }

  get isCounting(): boolean {
    const { state } = this;
    return state === 'activating' || state === 'active';
  }

  urlOf(token: string): string {
    return `${this.#prefix}${token && `?token=${token}`}`;
  }

  /** Whether a URL was made by this run. */
  owns(eventsUrl: string): boolean {
    return eventsUrl.startsWith(`${this.#prefix}?`);
  }

  /** What `server/http/routes/callbacks.ts` does with a post. */
  takePost(address: string, eventsUrl: string, body: string): 'taken' | 'refused' | 'unknown' {
    const claims = this.#read(eventsUrl) ?? this.#world.bug?.believes?.(this, address);
    if (claims?.kind === 'content') throw new Error('no room is watched in this world');
    if (!claims) {
      this.#receiver.notePostWithoutToken(address);
      return 'unknown';
    }
    try {
      this.#receiver.take(claims, parsePosted(body));
      this.lastTakenAtMs = this.#world.nowMs;
      this.taken += 1;
      return 'taken';
    } catch {
      this.#receiver.noteUncountedPost(claims);
      return 'refused';
    }
  }

  answerStartup(query: StartupQuery, tell: (answer: StartupAnswer) => void): void {
    const { answer, afterwards } = this.#receiver.answerStartup(query);
    this.#world.note(
      () => `the start-up query of ${query.address} is answered active: ${answer.active}`,
    );
    tell(answer);
    afterwards();
  }

  /** A viewer comes, for the first time or again. */
  admit(watcher: Watcher): Watcher {
    this.feed.add(watcher.viewer, watcher.kind, watcher.lastEventId);
    this.watchers.push(watcher);
    if (this.watchers.length === 1) this.activatedAtMs = this.#world.clock.nowMs;
    this.actor.send({ type: 'viewer.connected' });
    return watcher;
  }

  dismiss(watcher: Watcher): void {
    this.feed.remove(watcher.viewer);
    this.watchers.splice(this.watchers.indexOf(watcher), 1);
    if (this.watchers.length === 0) this.unwatchedSinceMs = this.#world.clock.nowMs;
    if (this.actor.getSnapshot().status === 'active')
      this.actor.send({ type: 'viewer.disconnected' });
  }

  /** Ends as `server/service.ts` does; `ended` is called when the process has gone. */
  shutDown(ended: () => void): void {
    this.isShuttingDown = true;
    this.feed.close();
    this.actor.send({ type: 'shutdown.requested' });
    this.unwatchedSinceMs = this.#world.clock.nowMs;
    for (const watcher of [...this.watchers]) this.dismiss(watcher);
    const { clock } = this.#world;
    const deadline = clock.setTimeout(() => end(), shutdownMs);
    const end = () => {
      clock.clearTimeout(deadline);
      if (this.isStopped) return;
      this.stop();
      ended();
    };
    if (this.actor.getSnapshot().status !== 'active') end();
    else this.actor.subscribe({ complete: end });
  }

  /** The process is gone. */
  stop(): void {
    this.isStopped = true;
    this.#receiver.close();
    this.feed.close();
    this.actor.stop();
    this.requests.open.clear();
  }

  /** The slot `discovery`. */
  discover(tell: ConstructorParameters<typeof DiscoveryRounds>[1]): DiscoveryRounds {
    return new DiscoveryRounds(this.#world, tell);
  }

  /** The slot `publish`. */
  publish(): void {
    this.feed.publish();
  }

  /** The slot `restartFeed`. */
  restartFeed(): void {
    this.feed.restart();
  }

  /** The slot `reportDefect`. */
  noteDefect({ type }: { type: string }): void {
    this.#world.note(() => type);
  }

  #read(eventsUrl: string): TokenClaims | undefined {
    const token = eventsUrl.split('?token=')[1];
    return token === undefined ? undefined : this.tokens.read(token);
  }
}
