import type { ActivationActor } from '../../../machines/activationMachine.js';
import type { ServerId, Term } from '../../../machines/ports.js';
import { InboxReader } from '../../../server/cluster/inboxReader.js';
import { Beats, type LeadingFeed } from '../../../server/cluster/relay/beats.js';
import { localUpstream } from '../../../server/cluster/relay/localUpstream.js';
import type { Upstream } from '../../../server/cluster/relay/upstream.js';
import { Feed } from '../../../server/fleet/feed.js';
import { FleetView } from '../../../server/fleet/fleetView.js';
import { CallbackReceiver } from '../../../server/pubsub/callbackReceiver.js';
import type { EventTokens } from '../../../server/pubsub/eventTokens.js';
import { queryEntry, takeInboxEntry } from '../../../server/pubsub/inboxEntries.js';
import { heartbeatFrame, messageFrame } from '../../../server/sse/frames.js';
import { pubSubPort } from '../plan.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { StreamEnd } from './person.js';
import { frameIntervalMs, type SimulatedInstance } from './simulatedInstance.js';

/** What an instance has only while it leads, as `server/wiring/wireFleet.ts` makes it. */
export class SimulatedFleet {
  readonly term: Term;
  readonly activation: ActivationActor;
  readonly view: FleetView;
  readonly feed: Feed;
  readonly tokens: EventTokens;
  readonly receiver: CallbackReceiver;
  readonly upstream: Upstream;
  readonly #instance: SimulatedInstance;
  readonly #inbox: InboxReader;
  readonly #leading: LeadingFeed;
  readonly #readers = new Map<StreamEnd, Beats>();
  #isClosed = false;

  constructor(
    world: InstancesWorld,
    instance: SimulatedInstance,
    activation: ActivationActor,
    term: Term,
  ) {
    const { plan } = world;
    const { posts, lease } = instance;
    this.#instance = instance;
    this.term = term;
    this.activation = activation;
    this.view = new FleetView(activation, {
      haveSourcesAnswered: () => instance.discovery?.hasRecalled === true,
    });
    this.feed = new Feed(this.view, {
      run: world.bug?.resumesOverTerms ? '1' : String(term),
      frameIntervalMs,
      forInstances: {
        isTakeover: activation.getSnapshot().context.begins === 'lingering',
        detail: () => this.view.detail,
      },
    });
    this.tokens = posts.tokens.withTerm(term);
    this.receiver = new CallbackReceiver({
      actor: activation,
      book: posts.book,
      tokens: this.tokens,
      urlOf: (token) => posts.urlOf(token),
      unusedUrl: posts.urlOf(''),
      noteNewcomer: (query) => posts.inbox.write(queryEntry(query, term)),
      pubSubPort,
      resyncIntervalMs: plan.timing.resyncIntervalMs,
      onHeard: (server) => this.view.noteHeard(server),
      observe: () => {},
      takeUpdate: () => {},
      takeContent: () => {},
      noteLostContent: () => {},
    });
    this.#inbox = new InboxReader({
      take: (done) => lease.takeInbox(done),
      handle: (entry) => {
        world.countCheck('an entry of the inbox');
        takeInboxEntry(this.receiver, entry);
      },
      onUnreadable: (count) => world.fail('4: anywhere', `${count} entries are unreadable`),
    });
    this.#leading = {
      term,
      feed: this.feed,
      isHeld: () => lease.isHeldNow(),
      viewerConnected: () => this.#send('viewer.connected'),
      viewerDisconnected: () => this.#send('viewer.disconnected'),
    };
    this.upstream = localUpstream(this.#leading, instance.clock.forParts(false));
    // Not within the machine's own step.
    instance.clock.setTimeout(() => this.#inbox.note(), 0);
  }

  get isActive(): boolean {
    const { state } = this.view.state();
    return state === 'activating' || state === 'active';
  }

  /** Whether it shows a server. */
  isCounting(server: ServerId): boolean {
    const { standing } = this.activation.getSnapshot().context.roster.get(server) ?? {};
    return standing !== undefined && standing !== 'candidate';
  }

  /** What is taken from now on would be lost for the next leader. */
  handOver(): void {
    this.#inbox.close();
  }

  noteInbox(): void {
    this.#inbox.note();
  }

  /** The route of `server/http/routes/instanceEvents.ts`. */
  serve(stream: StreamEnd, lastEventId: string | undefined): void {
    const { viewer } = stream;
    const beats = new Beats(this.#leading, this.#instance.clock.forParts(false), {
      viewer,
      beat: (term) => stream.send(messageFrame(JSON.stringify({ term }), { event: 'beat' })),
      progress: () => stream.send(heartbeatFrame),
    });
    beats.start();
    this.feed.add(viewer, 'changes', lastEventId);
    this.#readers.set(stream, beats);
    this.#leading.viewerConnected();
  }

  stopServing(stream: StreamEnd): void {
    this.#readers.get(stream)?.stop();
    if (!this.#readers.delete(stream)) return;
    this.feed.remove(stream.viewer);
    this.#leading.viewerDisconnected();
  }

  close(): void {
    this.#isClosed = true;
    for (const beats of this.#readers.values()) beats.stop();
    this.#inbox.close();
    this.receiver.close();
    this.feed.close();
  }

  #send(type: 'viewer.connected' | 'viewer.disconnected'): void {
    if (!this.#isClosed && this.activation.getSnapshot().status === 'active')
      this.activation.send({ type });
  }
}
