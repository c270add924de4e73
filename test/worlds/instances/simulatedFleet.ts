import type { Logger } from 'pino';
import type { ActivationActor } from '../../../machines/activationMachine.js';
import type { ServerId, Term } from '../../../machines/ports.js';
import { Beats, type LeadingFeed } from '../../../server/cluster/relay/beats.js';
import { localUpstream } from '../../../server/cluster/relay/localUpstream.js';
import type { Upstream } from '../../../server/cluster/relay/upstream.js';
import { Feed } from '../../../server/fleet/feed.js';
import { FleetView } from '../../../server/fleet/fleetView.js';
import { CallbackReceiver } from '../../../server/pubsub/callbackReceiver.js';
import type { EventTokens } from '../../../server/pubsub/eventTokens.js';
import type { RequestPacer } from '../../../server/pubsub/requestPacer.js';
import { heartbeatFrame, messageFrame } from '../../../server/sse/frames.js';
import {
  type Leadership,
  leadingFeed,
  wireLeadership,
} from '../../../server/wiring/wireLeadership.js';
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
  readonly leadership: Leadership;
  readonly #instance: SimulatedInstance;
  readonly #leading: LeadingFeed;
  readonly #readers = new Map<StreamEnd, Beats>();

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
    this.leadership = wireLeadership({
      lease,
      inbox: posts.inbox,
      log: quietLog(world),
      activation,
      viewers: () => instance.relay.viewers,
    });
    this.view = new FleetView(activation, {
      haveSourcesAnswered: () =>
        instance.discovery?.hasRecalled === true && this.leadership.hasReadInbox(),
    });
    this.feed = new Feed(this.view, {
      run: String(this.#feedTerm(world)),
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
      noteNewcomer: this.leadership.noteNewcomer,
      pubSubPort,
      resyncIntervalMs: plan.timing.resyncIntervalMs,
      onHeard: (server) => this.view.noteHeard(server),
      observe: () => {},
      takeUpdate: () => {},
      takeContent: () => {},
      noteLostContent: () => {},
    });
    const { requests } = instance;
    const pacer = {
      hold: (onEnded: () => void) => requests.hold(onEnded),
      resume: () => requests.resume(),
    };
    this.leadership.begin({
      receiver: this.receiver,
      pacer: pacer as RequestPacer,
      publish: () => this.feed.publish(),
    });
    const clock = instance.clock.forParts(false);
    this.#leading = leadingFeed(
      { activation, feed: this.feed, term: this.#feedTerm(world) },
      lease,
    );
    this.upstream = localUpstream(this.#leading, clock);
  }

  /** Whether posts of a server were missing. */
  misses(server: ServerId): boolean {
    const { ref } = this.activation.getSnapshot().context.roster.get(server) ?? {};
    return (ref?.getSnapshot().context.missed ?? 0) > 0;
  }

  /** Whether it calls a server deaf. */
  isDeaf(server: ServerId): boolean {
    return this.activation.getSnapshot().context.roster.get(server)?.status === 'deaf';
  }

  /** Whether it shows a server. */
  isCounting(server: ServerId): boolean {
    const { standing } = this.activation.getSnapshot().context.roster.get(server) ?? {};
    return standing !== undefined && standing !== 'candidate';
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
    for (const beats of this.#readers.values()) beats.stop();
    this.leadership.close();
    this.receiver.close();
    this.feed.close();
  }

  /** With one of the mistakes all terms look the same. */
  #feedTerm({ bug }: InstancesWorld): Term {
    return bug?.resumesOverTerms ? 1 : this.term;
  }
}

/** Nothing in a world may be worth a warning. */
function quietLog(world: InstancesWorld): Logger {
  const warn = (about: object, text: string) =>
    world.fail('4: anywhere', `${text}: ${JSON.stringify(about)}`);
  return { warn } as unknown as Logger;
}
