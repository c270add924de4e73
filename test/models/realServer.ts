import type { PubSubServerInput } from '../../machines/pubSubServerSetup.js';
import { hostAndPort } from '../../server/addresses.js';
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
  #viewer: EventStream | undefined;
  #updatesViewer: EventStream | undefined;
  #restarts = 0;

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
    const logic = { root: actor.logic, server: this.#child.logic };
    this.#coverage = new Coverage([logic.root, logic.server] as never);
    actor.system.inspect(this.#coverage.observe as never);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#viewer?.close(), this.#updatesViewer?.close()]);
    // Nobody tells this server to be silent at the end.
    this.#server.respond({ kind: 'reset' });
    this.#server.restart();
    const stopped = this.#service.stop();
    await Promise.all([stopped, this.#server.stop()]);
  }

  /** The state of the actor of the server, and how far its request is. */
  get value(): unknown {
    return this.#child.getSnapshot().value;
  }

  get reached(): string[] {
    return this.#coverage.reached;
  }

  get all(): string[] {
    return this.#coverage.all;
  }

  /** Makes happen what stands for an event of the model. */
  async happen({ type, isDoubtful }: ModelEvent): Promise<void> {
    if (type.startsWith('after.')) return this.#fire(type.slice('after.'.length), isDoubtful);
    const happening = this.#happenings[type];
    if (!happening) throw new Error(`nothing real stands for ${type}`);
    await happening();
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
      await eventually(() => expectToBe(this.#service.actor.getSnapshot().context.updateViewers, 0));
    },
    'resync.due': () => this.#fire('resyncMs'),
    'confirmation.due': () => this.#fire('confirmationMs'),
  };

  get #child() {
    const member = this.#service.actor.getSnapshot().context.roster.get(this.#server.id);
    if (!member) throw new Error('the server is not known');
    return member.ref;
  }

  async #come(): Promise<void> {
    this.#viewer = await openEventStream(this.#service.url);
  }

  /** At the start the service has said so by itself. */
  async #leave(): Promise<void> {
    if (!this.#viewer) return;
    await this.#viewer.close();
    this.#viewer = undefined;
    await eventually(() => expectToBe(this.#service.actor.getSnapshot().matches({ active: 'lingering' }), true));
    this.#clock.fire(Number(env.LINGER_MS));
  }

  /** The request that is under way has arrived, and waits. */
  async #arrived(): Promise<void> {
    await eventually(() => expectToBe(this.#server.requests.length > this.#handled, true));
    this.#handled = this.#server.requests.length;
  }

  #handled = 0;

  async #answer(): Promise<void> {
    await this.#arrived();
    this.#server.release();
  }

  async #fail(): Promise<void> {
    await this.#arrived();
    this.#restarts += 1;
    this.#server.restart();
  }

  /** The URL that the newest activation gave. */
  get #eventsUrl(): string {
    const put = this.#server.requests.findLast(({ method }) => method === 'PUT');
    return JSON.parse(put?.body ?? '{}').eventsUrl;
  }

  async #post(body: string): Promise<void> {
    await eventually(() => expectToBe(this.#server.requests.some(({ method }) => method === 'PUT'), true));
    await fetch(this.#eventsUrl, { method: 'POST', body });
  }

  #postDelta(add: number): Promise<void> {
    return this.#post(JSON.stringify({ room: 'doubt', add }));
  }

  async #fire(delay: string, isDoubtful?: boolean): Promise<void> {
    if (isDoubtful) await this.#postDelta(-1);
    const child = this.#child;
    const delays = child.logic.implementations.delays as Record<string, unknown>;
    const length = delays[delay];
    const { context } = child.getSnapshot();
    const ms = typeof length === 'function' ? length({ context: context as PubSubServerInput }) : length;
    this.#clock.fire(ms as number);
    if (isDoubtful) await this.#postDelta(1);
  }

  get port(): number {
    return hostAndPort(this.#server.id).port;
  }
}

function expectToBe<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${actual} is not ${expected}`);
}
