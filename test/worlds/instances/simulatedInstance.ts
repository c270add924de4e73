import { createActor, type EventObject } from 'xstate';
import type { ActivationActor } from '../../../machines/activationMachine.js';
import type { ActivationEvent, ActivationInput } from '../../../machines/activationSetup.js';
import type { InstanceActor } from '../../../machines/instanceMachine.js';
import type { InstanceContext, InstanceEvent } from '../../../machines/instanceSetup.js';
import type { Leader, RoomName, ServerId, Term } from '../../../machines/ports.js';
import type { InstanceInfo } from '../../../server/cluster/clusterStore.js';
import { createElection } from '../../../server/cluster/election.js';
import { Lease } from '../../../server/cluster/lease.js';
import { Relay } from '../../../server/cluster/relay/relay.js';
import type { Upstream } from '../../../server/cluster/relay/upstream.js';
import type { StreamKind } from '../../../server/fleet/feed.js';
import type { StartupAnswer, StartupQuery } from '../../../server/pubsub/startupQuery.js';
import type { StreamViewer } from '../../../server/sse/channel.js';
import { residents } from '../machines.js';
import { InstanceClock } from './instanceClock.js';
import { instances, ownerOf } from './instanceMachines.js';
import { InstancePosts } from './instancePosts.js';
import { InstanceRequests } from './instanceRequests.js';
import { leaseTimes } from './instancesPlan.js';
import type { InstancesWorld } from './instancesWorld.js';
import { type LeaderStream, leaderStream } from './leaderStream.js';
import { Believing, withoutTerm } from './mistakes.js';
import type { StreamEnd } from './person.js';
import { RememberedServers } from './remembered.js';
import { SimulatedFleet } from './simulatedFleet.js';
import type { Site } from './site.js';

export const frameIntervalMs = 50;
const shutdownMs = 7000;

/**
 * One process of an instance: its machine, lease, relay, tokens and inbox, put together as
 * `server/wiring/` does, with the links of the world in place of HTTP and Redis.
 */
export class SimulatedInstance {
  readonly id: string;
  readonly site: Site;
  readonly clock: InstanceClock;
  /** Streams of viewers, and of other instances. */
  readonly streams = new Set<StreamEnd>();
  readonly peers = new Set<StreamEnd>();
  /** Streams of leaders that this instance reads. */
  readonly upstreams = new Set<LeaderStream>();
  readonly lease: Lease;
  readonly relay: Relay;
  readonly actor: InstanceActor;
  readonly posts: InstancePosts;
  /** The requests of the leadership that began last. */
  requests: InstanceRequests;
  fleet: SimulatedFleet | undefined;
  discovery: RememberedServers | undefined;
  isShuttingDown = false;
  /** Whether posts and start-up queries reach it. */
  isListening = true;
  /** Whether it has ever known of a leader. */
  isReady = false;
  readonly #world: InstancesWorld;
  /** Another instance that leads, as far as this one knows. */
  #leader: Leader | undefined;
  #followed = '';
  /** Whether it could reach a server. */
  #reaches: boolean | null = null;
  readonly #beganMs: number;
  readonly #believing = new Believing();

  constructor(world: InstancesWorld, site: Site, id: string) {
    this.#world = world;
    this.id = id;
    this.site = site;
    this.#beganMs = world.nowMs;
    const { random, time, plan, redis, bug, machines, inspect } = world;
    this.clock = new InstanceClock(world.clock, time, random.between(-50, 50));
    const clock = this.clock.forParts(bug?.judgesByWallClock === true);
    const own = redis.storeOf(site, this.clock);
    this.lease = new Lease({
      store: bug?.store?.(own, world) ?? own,
      clock,
      self: id,
      info: () => this.#info,
      ...leaseTimes,
    });
    this.relay = new Relay({
      clock: this.clock.forParts(false),
      frameIntervalMs,
      lingerMs: plan.timing.lingerMs,
      random: () => world.extras.between(0, 999) / 1000,
    });
    this.lease.onBeat(({ inboxLength }) => this.#noteBeat(inboxLength));
    this.posts = new InstancePosts(world, this);
    this.requests = this.#newRequests();
    const timing = { ...plan.timing };
    ownerOf.set(timing, this);
    this.actor = createActor(machines.instance, {
      id: 'instance',
      clock: this.clock,
      input: {
        timing,
        servers: world.configured,
        limits: plan.limits,
        isInCluster: true,
      },
      ...(inspect && { inspect }),
    });
    instances.set(this.actor.system, this);
    residents.set(this.actor.system, this);
    this.actor.subscribe({ error: (error) => world.fail('unbreakable', String(error)) });
  }

  get leader(): Leader | undefined {
    return this.#leader;
  }

  get name(): string {
    return `${this.site.name}/${this.id}`;
  }

  get term(): Term | undefined {
    return this.fleet?.term;
  }

  get isLeading(): boolean {
    return this.fleet !== undefined;
  }

  /** Whether a request may go out, by both clocks. */
  get mayAct(): boolean {
    return this.lease.isHeldNow();
  }

  start(): void {
    this.lease.start();
    this.actor.start();
  }

  /** Ends as `server/service.ts` does; `ended` is called when the process has gone. */
  shutDown(ended: () => void): void {
    this.isShuttingDown = true;
    this.relay.close();
    const deadline = this.clock.setTimeout(() => end(), shutdownMs);
    const end = () => {
      this.clock.clearTimeout(deadline);
      this.lease.release();
      this.lease.leave(() => {
        this.isListening = false;
        if (this.#world.bug?.dropsAtTheEnd) ended();
        else this.posts.inbox.end(ended);
      });
    };
    this.actor.subscribe({ complete: end });
    this.actor.send({ type: 'shutdown.requested' });
  }

  /** The slot `hasSuccessor`. */
  get hasSuccessor(): boolean {
    return this.#others.length > 0;
  }

  /** The slot `holdRequests`. */
  holdRequests(): void {
    this.fleet?.leadership.prepareHandingOver(() => this.actor.send({ type: 'requests.ended' }));
  }

  /** The slot `resumeRequests`. */
  resumeRequests(): void {
    this.fleet?.leadership.goOn();
  }

  /** The process is gone, and its connections with it. */
  end(): void {
    this.clock.end();
    for (const stream of [...this.streams, ...this.peers]) stream.end();
    for (const upstream of this.upstreams) upstream.hangUp();
    this.streams.clear();
    this.peers.clear();
  }

  /** A viewer comes. */
  admit(stream: StreamEnd, kind: StreamKind, lastEventId: string | undefined): void {
    if (this.isShuttingDown) {
      stream.end();
      return;
    }
    this.relay.add(this.#viewerOf(stream), kind, lastEventId);
  }

  dismiss(stream: StreamEnd): void {
    this.relay.remove(this.#viewerOf(stream));
  }

  /** Another instance wants the stream of this leader. */
  serve(stream: StreamEnd, lastEventId: string | undefined): void {
    if (this.fleet) this.fleet.serve(stream, lastEventId);
    else stream.end();
  }

  stopServing(stream: StreamEnd): void {
    this.fleet?.stopServing(stream);
  }

  takePost(address: string, eventsUrl: string, body: string): void {
    this.posts.take(address, eventsUrl, body);
  }

  answerStartup(query: StartupQuery, tell: (answer: StartupAnswer) => void): void {
    const { answer, afterwards } = this.posts.callbacks.answerStartup(query);
    this.#world.note(() => `${this.name} answers ${query.address} active: ${answer.active}`);
    tell(answer);
    afterwards();
  }

  watchRoom(room: RoomName): void {
    this.#tell({ type: 'room.watched', room });
  }

  unwatchRoom(room: RoomName): void {
    this.#tell({ type: 'room.unwatched', room });
  }

  /** The slot `election`. */
  elect(slot: { sendBack: (event: EventObject) => void }): () => void {
    return (createElection(this.lease).config as (slot: unknown) => () => void)(slot);
  }

  /** The slot `discovery`. */
  discover(tell: (event: ActivationEvent) => void): RememberedServers {
    this.discovery = new RememberedServers(this.#world, this, tell);
    return this.discovery;
  }

  /** A leadership begins: what only a leader has is made. */
  beginFleet(activation: ActivationActor, { term }: ActivationInput): void {
    if (term === undefined) {
      this.#world.fail('unbreakable', 'a leadership without a term');
      return;
    }
    this.#world.oracle.atTakeover(this, term);
    this.#world.note(() => `${this.name} leads in term ${term}`);
    this.requests = this.#newRequests();
    this.fleet = new SimulatedFleet(this.#world, this, activation, term);
    this.#follow();
  }

  /** The slot `closeFleet`. */
  closeFleet(): void {
    this.#world.note(() => `${this.name} no longer leads`);
    this.relay.follow(undefined, 'this instance no longer leads');
    this.#followed = '';
    this.requests.close();
    this.fleet?.close();
    this.fleet = undefined;
  }

  /** The slot `publishRole`. */
  publishRole({ leader }: InstanceContext): void {
    this.#leader = leader;
    this.#follow();
  }

  publish(): void {
    this.fleet?.feed.publish();
  }

  restartFeed(): void {
    this.fleet?.feed.restart();
  }

  noteDefect({ type }: { type: string }): void {
    this.#world.fail('unbreakable', `an actor of ${this.name} failed: ${type}`);
  }

  #tell(event: InstanceEvent): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event);
  }

  /** As `server/wiring/wireCluster.ts` does. */
  #noteBeat(inboxLength: number): void {
    const { leadership } = this.fleet ?? {};
    if (!leadership) {
      const leading = this.#others.find(({ id }) => id === this.#leader?.instance);
      this.#probe(leading?.reachesServers === false);
      return;
    }
    if (inboxLength > 0) leadership.noteInbox();
    if (leadership.reach.isOutdoneBy(this.lease.instances, this.id))
      this.actor.send({ type: 'fleet.unreachable' });
  }

  /** Finds out whether servers can be reached from here, when the leader reaches none. */
  #probe(isWorthIt: boolean): void {
    const { links, hosts } = this.#world;
    const isReached =
      links.isOpen(this.site.name, 'servers') && links.isOpen('servers', this.site.name);
    this.#reaches = isWorthIt ? isReached && hosts.some(({ isUp }) => isUp) : null;
  }

  get #others() {
    return this.lease.instances.filter(({ id, isThere }) => id !== this.id && isThere);
  }

  #viewerOf({ viewer }: StreamEnd): StreamViewer {
    return this.#world.bug?.passesCompleteOn ? this.#believing.viewer(viewer) : viewer;
  }

  /** News of the same leader leaves its stream open. */
  #follow(): void {
    const { instance, term, url } = this.#leader ?? {};
    const followed = JSON.stringify(
      this.fleet ? { own: this.fleet.term } : { instance, term, url },
    );
    if (this.isShuttingDown || followed === this.#followed) return;
    this.#followed = followed;
    this.relay.follow(this.#upstream());
  }

  #upstream(): Upstream | undefined {
    const { bug } = this.#world;
    const leader = this.#leader;
    const upstream = this.fleet?.upstream ?? (leader && leaderStream(this.#world, this, leader));
    if (upstream) this.isReady = true;
    if (!upstream) return undefined;
    if (bug?.passesCompleteOn) return this.#believing.heed(upstream);
    return bug?.resumesOverTerms ? withoutTerm(upstream) : upstream;
  }

  #newRequests(): InstanceRequests {
    return new InstanceRequests(this.#world, this, {
      eventsUrl: (server: ServerId, epoch) => {
        const tokens = this.fleet?.tokens ?? this.posts.tokens;
        return this.posts.urlOf(tokens.mint({ kind: 'server', server, epoch, fromStartup: false }));
      },
      onBegun: (server) => this.fleet?.leadership.reach.noteBegun(server),
      onFailed: (server) => this.fleet?.leadership.reach.noteFailed(server),
      onHeard: (server) => {
        this.fleet?.leadership.reach.noteAnswered(server);
        this.fleet?.view.noteHeard(server);
      },
      renew: (done) => this.lease.renew(done),
    });
  }

  get #info(): InstanceInfo {
    return {
      id: this.id,
      url: this.site.url,
      serversUrl: this.site.url,
      version: '1.0.0',
      protocol: 1,
      viewers: this.relay.viewers,
      startedAtMs: this.#beganMs,
      reachesServers: this.fleet ? this.fleet.leadership.reach.reachesServers : this.#reaches,
    };
  }
}
