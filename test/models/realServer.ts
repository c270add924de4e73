import { pubSubServerMachine } from '../../machines/pubSubServerMachine.js';
import type { PubSubServerInput } from '../../machines/pubSubServerSetup.js';
import type { Service } from '../../server/service.js';
import { Coverage } from '../simulation/coverage.js';
import { emptyStore } from '../support/emptyStore.js';
import { type EventStream, openEventStream } from '../support/eventStream.js';
import { eventually } from '../support/eventually.js';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.js';
import { startTestService } from '../support/service.js';
import { HandClock } from './handClock.js';
import type { ModelEvent } from './pubSubServerModel.js';

/** Every delay of the machines has a length of its own, so that it can be told by it. */
const env = {
  LINGER_MS: '7000',
  REQUEST_TIMEOUT_MS: '20000',
  PROBE_INTERVAL_MS: '30000',
  RESYNC_INTERVAL_MS: '100000',
};

/** The real service with one scripted server, over HTTP; only the machines' delays are turned by hand. */
export class RealServer {
  readonly #clock = new HandClock();
  readonly #service: Service;
  readonly #server: ScriptedServer;
  readonly #coverage: Coverage;
  /** Events that the actor of the server got, by type. */
  readonly #seen = new Map<string, number>();
  #viewer: EventStream | undefined;
  #updatesViewer: EventStream | undefined;
  #hasBeenWatched = false;
  #handled = 0;

  static async start(): Promise<RealServer> {
    const server = await startScriptedServer();
    // Nothing is answered before a path says so.
    server.respond({ kind: 'hang', effect: 'onArrival' });
    server.respond({ kind: 'hang', to: 'health' });
    const clock = new HandClock();
    const service = await startTestService(
      { ...env, PUBSUB_SERVERS: server.id },
      { openStore: async () => emptyStore, clock },
    );
    return new RealServer(server, service, clock);
  }

  private constructor(server: ScriptedServer, service: Service, clock: HandClock) {
    this.#server = server;
    this.#service = service;
    this.#clock = clock;
    const { actor } = service;
    this.#coverage = new Coverage([this.#logic]);
    actor.system.inspect((inspected) => {
      this.#coverage.observe(inspected);
      if (inspected.type !== '@xstate.event' || inspected.actorRef !== this.#child) return;
      const { type } = inspected.event;
      this.#seen.set(type, this.#timesSeen(type) + 1);
    });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#viewer?.close(), this.#updatesViewer?.close()]);
    this.#server.respond({ kind: 'normal' });
    this.#server.respond({ kind: 'normal', to: 'health' });
    this.#server.release();
    await this.#service.stop();
    await this.#server.stop();
  }

  /** The state of the actor of the server, and how far its request is. */
  get value(): unknown {
    return this.#child.getSnapshot().value;
  }

  get reached(): string[] {
    return this.#coverage.reached;
  }

  /** All that there is to reach. */
  static get places(): string[] {
    return new Coverage([pubSubServerMachine]).all;
  }

  /** Makes happen what stands for an event of the model. */
  async happen({ type, isDoubtful }: ModelEvent): Promise<void> {
    if (type.startsWith('after.')) return this.#fire(type.slice('after.'.length), isDoubtful);
    const happening = this.#happenings[type];
    if (!happening) throw new Error(`nothing real stands for ${type}`);
    // The first one comes with the start, before anybody can look.
    const isSeen = type === 'deactivation.requested' && !this.#hasBeenWatched;
    const before = this.#timesSeen(type);
    await happening();
    if (!isSeen) await eventually(() => expectToBe(this.#timesSeen(type) > before, true));
  }

  readonly #happenings: Readonly<Record<string, () => unknown>> = {
    'deactivation.requested': () => this.#leave(),
    'activation.requested': () => this.#come(),
    'silence.confirmed': () => this.#answer(),
    'snapshot.received': () => this.#answer(),
    'probe.answered': () => this.#answer(),
    'request.failed': () => this.#fail(),
    'evidence.found': () => this.#post('{'),
    'doubt.raised': async () => {
      await this.#postDelta(-1);
      await this.#postDelta(1);
    },
    'startup.answered': () => this.#server.askAtStartup(this.#service.url),
    'startup.applied': () => this.#clock.fire(50),
    'updates.wished': async () => {
      this.#updatesViewer = await openEventStream(this.#service.url, { path: '/api/updates' });
    },
    'updates.unwished': async () => {
      await this.#updatesViewer?.close();
      this.#updatesViewer = undefined;
      // The service hears of it a little later.
      await eventually(() =>
        expectToBe(this.#service.actor.getSnapshot().context.updateViewers, 0),
      );
    },
    'resync.due': () => this.#fire('resyncMs'),
    'confirmation.due': () => this.#fire('confirmationMs'),
  };

  #timesSeen(type: string): number {
    return this.#seen.get(type) ?? 0;
  }

  get #child() {
    const member = this.#service.actor.getSnapshot().context.roster.get(this.#server.id);
    if (!member) throw new Error('the server is not known');
    return member.ref;
  }

  /** The machine of the server as it is wired. */
  get #logic(): typeof pubSubServerMachine {
    return (this.#child as unknown as { logic: typeof pubSubServerMachine }).logic;
  }

  async #come(): Promise<void> {
    this.#hasBeenWatched = true;
    this.#viewer = await openEventStream(this.#service.url);
  }

  /** At the start the service has said so by itself. */
  async #leave(): Promise<void> {
    if (!this.#viewer) return;
    await this.#viewer.close();
    this.#viewer = undefined;
    await eventually(() =>
      expectToBe(this.#service.actor.getSnapshot().matches({ active: 'lingering' }), true),
    );
    this.#clock.fire(Number(env.LINGER_MS));
  }

  /** The request that is under way has arrived, and waits. */
  async #arrived(): Promise<void> {
    await eventually(() => expectToBe(this.#server.requests.length > this.#handled, true));
    this.#handled = this.#server.requests.length;
  }

  async #answer(): Promise<void> {
    await this.#arrived();
    this.#server.release();
  }

  async #fail(): Promise<void> {
    await this.#arrived();
    this.#server.restart();
  }

  /** The URL that the newest activation gave. */
  get #eventsUrl(): string {
    const put = this.#server.requests.findLast(({ method }) => method === 'PUT');
    return JSON.parse(put?.body ?? '{}').eventsUrl;
  }

  async #post(body: string): Promise<void> {
    await eventually(() =>
      expectToBe(
        this.#server.requests.some(({ method }) => method === 'PUT'),
        true,
      ),
    );
    await fetch(this.#eventsUrl, { method: 'POST', body });
  }

  /** The room falls below zero, or comes back to it. */
  async #postDelta(add: 1 | -1): Promise<void> {
    await this.#post(JSON.stringify({ room: 'doubt', add }));
    // It is counted in a later turn of the event loop than it is answered in.
    const { tally } = this.#service.actor.getSnapshot().context;
    await eventually(() => expectToBe(tally.isDoubtful(this.#server.id), add < 0));
  }

  async #fire(delay: string, isDoubtful?: boolean): Promise<void> {
    if (isDoubtful) await this.#postDelta(-1);
    const child = this.#child;
    const delays = this.#logic.implementations.delays as Record<string, unknown>;
    const length = delays[delay];
    const { context } = child.getSnapshot();
    const ms =
      typeof length === 'function' ? length({ context: context as PubSubServerInput }) : length;
    this.#clock.fire(ms as number);
    if (isDoubtful) await this.#postDelta(1);
  }
}

function expectToBe<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${actual} is not ${expected}`);
}
