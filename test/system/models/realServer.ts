import { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import type { PubSubServerInput } from '../../../machines/pubSubServerSetup.js';
import type { Service } from '../../../server/service.js';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import type { ScriptedServer } from '../../support/scriptedServer.js';
import { Coverage } from '../../worlds/coverage.js';
import { breakNextRequest } from './breakNextRequest.js';
import { postFrom } from './postFrom.js';
import type { ModelEvent } from './pubSubServerModel.js';
import {
  type Arrival,
  lingerMs,
  replacementMs,
  type ServerStage,
  startServerStage,
} from './serverStage.js';

/** A scripted server that the real service works with, over HTTP; only the machines' delays are turned by hand. */
export class RealServer {
  readonly #stage: ServerStage;
  readonly #service: Service;
  readonly #server: ScriptedServer;
  readonly #coverage: Coverage;
  /** Events that the actor of the server got, by type. */
  readonly #seen = new Map<string, number>();
  #viewer: EventStream | undefined;
  #updatesViewer: EventStream | undefined;
  #handled = 0;

  static async start(arrival: Arrival): Promise<RealServer> {
    return new RealServer(await startServerStage(arrival));
  }

  private constructor(stage: ServerStage) {
    this.#stage = stage;
    this.#service = stage.service;
    this.#server = stage.server;
    this.#coverage = new Coverage([this.#logic]);
    this.#service.activation.system.inspect((inspected) => {
      this.#coverage.observe(inspected);
      if (inspected.type !== '@xstate.event' || inspected.actorRef !== this.#member?.ref) return;
      const { type } = inspected.event;
      this.#seen.set(type, this.#timesSeen(type) + 1);
    });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#viewer?.close(), this.#updatesViewer?.close()]);
    await this.#stage.stop();
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
    // Whoever has answered is told at once, before anything can be made to happen.
    const isByItself = this.#stage.arrival === 'posting' && type === 'deactivation.requested';
    const before = isByItself ? 0 : this.#timesSeen(type);
    await happening();
    await eventually(() => expectToBe(this.#timesSeen(type) > before, true));
  }

  readonly #happenings: Readonly<Record<string, () => unknown>> = {
    'deactivation.requested': () => this.#silence(),
    'activation.requested': () => this.#activate(),
    'silence.confirmed': () => this.#answer(),
    'snapshot.received': () => this.#answer(),
    'probe.answered': () => this.#answer(),
    'request.failed': () => this.#fail(),
    'evidence.found': () =>
      this.#member ? this.#post('{') : postFrom('127.0.0.2', this.#service.url),
    'doubt.raised': async () => {
      await this.#postDelta(-1);
      await this.#postDelta(1);
    },
    'post.received': () => this.#post('{"room":"told","add":1}'),
    'startup.answered': () => this.#server.askAtStartup(this.#service.url),
    'updates.wished': async () => {
      this.#updatesViewer = await openEventStream(this.#service.url, { path: '/api/updates' });
    },
    'updates.unwished': async () => {
      await this.#updatesViewer?.close();
      this.#updatesViewer = undefined;
      // The service hears of it a little later.
      await eventually(() =>
        expectToBe(this.#service.activation.getSnapshot().context.updateViewers, 0),
      );
    },
    'predecessor.failed': () => this.#replace(),
  };

  #timesSeen(type: string): number {
    return this.#seen.get(type) ?? 0;
  }

  get #member() {
    return this.#service.activation.getSnapshot().context.roster.get(this.#server.id);
  }

  get #child() {
    if (!this.#member) throw new Error('the server is not known');
    return this.#member.ref;
  }

  /** The machine of servers as it is wired. */
  get #logic(): typeof pubSubServerMachine {
    const { machine } = this.#service.activation.getSnapshot();
    return machine.implementations.actors.pubSubServer as typeof pubSubServerMachine;
  }

  /** Somebody looks on. Who did already leaves for that, and is back before all have been told of it. */
  async #activate(): Promise<void> {
    if (this.#viewer) await this.#leave();
    // Discovery begins with a round, at the end of which those are told who were not told at once.
    this.#viewer = await openEventStream(this.#service.url);
  }

  async #silence(): Promise<void> {
    if (!this.#viewer) return this.#stage.name();
    await this.#leave();
    this.#stage.tellRest();
  }

  /** Its actor throws at a request, and is replaced. */
  async #replace(): Promise<void> {
    breakNextRequest(this.#logic);
    await postFrom('127.0.0.2', this.#service.url);
    await eventually(() => expectToBe(this.#child.getSnapshot().status, 'error'));
    this.#stage.clock.fire(replacementMs);
  }

  async #leave(): Promise<void> {
    await this.#viewer?.close();
    this.#viewer = undefined;
    await eventually(() =>
      expectToBe(this.#service.activation.getSnapshot().matches({ active: 'lingering' }), true),
    );
    this.#stage.clock.fire(lingerMs);
  }

  /** The request that is under way has arrived, and waits. */
  async #arrived(): Promise<void> {
    await eventually(() => expectToBe(this.#server.requests.length > this.#handled, true));
    this.#handled = this.#server.requests.length;
  }

  async #answer(): Promise<void> {
    await this.#arrived();
    const { rooms } = this.#server;
    // The next snapshot is another one, whatever is posted.
    rooms.set('changing', (rooms.get('changing') ?? 0) + 1);
    this.#server.release();
  }

  async #fail(): Promise<void> {
    await this.#arrived();
    this.#server.restart();
  }

  /** The URLs that requests gave, the oldest first. */
  get #eventsUrls(): string[] {
    const puts = this.#server.requests.filter(({ method }) => method === 'PUT');
    return puts.map(({ body }) => JSON.parse(body).eventsUrl);
  }

  async #post(body: string, which = -1): Promise<void> {
    await eventually(() => expectToBe(this.#eventsUrls.length > 0, true));
    await fetch(this.#eventsUrls.at(which) as string, { method: 'POST', body });
  }

  /** The room falls below zero, or comes back to it. */
  async #postDelta(add: 1 | -1): Promise<void> {
    await this.#post(JSON.stringify({ room: 'doubt', add }));
    // It is counted in a later turn of the event loop than it is answered in.
    const { tally } = this.#service.activation.getSnapshot().context;
    await eventually(() => expectToBe(tally.hasDip(this.#server.id), add < 0));
  }

  /** The server posts on an old URL, or on its newest one again. */
  async #postOnOldUrl(isOld: boolean): Promise<void> {
    const { tally } = this.#service.activation.getSnapshot().context;
    await this.#post('{"room":"old","add":1}', isOld ? 0 : -1);
    await eventually(() => expectToBe(tally.isDoubtful(this.#server.id), isOld));
  }

  async #fire(delay: string, isDoubtful?: boolean): Promise<void> {
    if (isDoubtful) await this.#makeDoubtful(delay, true);
    const child = this.#child;
    const delays = this.#logic.implementations.delays as Record<string, unknown>;
    const length = delays[delay];
    const { context } = child.getSnapshot();
    const ms =
      typeof length === 'function' ? length({ context: context as PubSubServerInput }) : length;
    this.#stage.clock.fire(ms as number);
    if (isDoubtful) await this.#makeDoubtful(delay, false);
  }

  /** Has something to find for whoever looks after a delay, or takes it back. */
  #makeDoubtful(delay: string, isDoubtful: boolean): Promise<void> {
    return delay === 'dipsMs'
      ? this.#postDelta(isDoubtful ? -1 : 1)
      : this.#postOnOldUrl(isDoubtful);
  }
}

function expectToBe<T>(actual: T, expected: T): void {
  if (actual !== expected) throw new Error(`${actual} is not ${expected}`);
}
