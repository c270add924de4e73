import type { activationMachine } from '../../../machines/activationMachine.js';
import type { pubSubServerMachine } from '../../../machines/pubSubServerMachine.js';
import type { Service } from '../../../server/service.js';
import { emptyStore } from '../../support/emptyStore.js';
import { type EventStream, openEventStream } from '../../support/eventStream.js';
import { eventually } from '../../support/eventually.js';
import { type ScriptedServer, startScriptedServer } from '../../support/scriptedServer.js';
import { startTestService } from '../../support/service.js';
import { Coverage } from '../../worlds/coverage.js';
import { failure } from './activationModel.js';
import { breakNextRequest } from './breakNextRequest.js';
import { HandClock } from './handClock.js';
import { postFrom } from './postFrom.js';

const env = {
  LINGER_MS: '7000',
  REQUEST_TIMEOUT_MS: '20000',
  PROBE_INTERVAL_MS: '30000',
  RESYNC_INTERVAL_MS: '100000',
  // Nobody is there.
  PUBSUB_PORT: '1',
};

/** Of a server: how long it may not answer before its counts go, and then before it is let go. */
const lossMs = { overdue: 3 * 30_000 + 20_000, letGo: 600_000 };
/** Of an actor that threw: its requests are over by then. */
const replacementMs = Number(env.REQUEST_TIMEOUT_MS);

/** The real service with one scripted server that answers when a path says so, over HTTP. */
export class RealRoot {
  readonly #service: Service;
  readonly #server: ScriptedServer;
  readonly #clock: HandClock;
  readonly #coverage: Coverage;
  /** Events that the root got, by type. */
  readonly #seen = new Map<string, number>();
  readonly #viewers: EventStream[] = [];
  #updatesViewer: EventStream | undefined;
  #stopped: Promise<void> | undefined;

  static async start(): Promise<RealRoot> {
    const server = await startScriptedServer();
    server.respond({ kind: 'hang', effect: 'onArrival' });
    const clock = new HandClock();
    const service = await startTestService(
      { ...env, PUBSUB_SERVERS: server.id },
      { openStore: async () => emptyStore, clock },
    );
    return new RealRoot(server, service, clock);
  }

  private constructor(server: ScriptedServer, service: Service, clock: HandClock) {
    this.#server = server;
    this.#service = service;
    this.#clock = clock;
    const { activation: actor } = service;
    this.#coverage = new Coverage([this.#logic]);
    actor.system.inspect((inspected) => {
      this.#coverage.observe(inspected);
      if (inspected.type !== '@xstate.event' || inspected.actorRef !== actor) return;
      const { type: name } = inspected.event;
      const type = name.startsWith(failure) ? failure : name;
      this.#seen.set(type, this.#timesSeen(type) + 1);
    });
  }

  get value(): unknown {
    return this.#service.activation.getSnapshot().value;
  }

  get reached(): string[] {
    return this.#coverage.reached;
  }

  async stop(): Promise<void> {
    const streams = [...this.#viewers, this.#updatesViewer];
    await Promise.all(streams.map((stream) => stream?.close()));
    if (this.#clock.isSet(replacementMs)) this.#clock.fire(replacementMs);
    this.#server.respond({ kind: 'normal' });
    this.#server.release();
    await (this.#stopped ?? this.#service.stop());
    await this.#server.stop();
  }

  /** Makes happen what stands for an event of the model. */
  async happen(type: string): Promise<void> {
    const happening = this.#happenings[type];
    if (!happening) throw new Error(`nothing real stands for ${type}`);
    const before = this.#timesSeen(type);
    await happening();
    // The clock's own event has another name.
    if (!type.startsWith('after.'))
      await eventually(() => expectMore(this.#timesSeen(type), before));
  }

  readonly #happenings: Readonly<Record<string, () => unknown>> = {
    'viewer.connected': async () => {
      this.#viewers.push(await openEventStream(this.#service.url));
    },
    'viewer.disconnected': () => this.#viewers.shift()?.close(),
    'server.reported': () => this.#settle(),
    'after.lingerMs': () => this.#clock.fire(Number(env.LINGER_MS)),
    'shutdown.requested': () => {
      this.#stopped = this.#service.stop();
    },
    'deltas.received': () => this.#post('{"room":"r","add":1}'),
    'evidence.found': () => this.#post('{'),
    'startup.answered': () =>
      fetch(`${this.#service.url}/api/events/clients?port=${this.#server.port}`),
    'servers.found': () => postFrom('127.0.0.2', this.#service.url),
    'server.lost': () => {
      this.#clock.fire(lossMs.overdue);
      this.#clock.fire(lossMs.letGo);
    },
    [failure]: () => {
      const { pubSubServer } = this.#logic.implementations.actors;
      breakNextRequest(pubSubServer as typeof pubSubServerMachine);
      return this.#post('{');
    },
    'replacement.due': () => this.#clock.fire(replacementMs),
    'updates.watched': async () => {
      this.#updatesViewer = await openEventStream(this.#service.url, { path: '/api/updates' });
    },
    'updates.unwatched': async () => {
      await this.#updatesViewer?.close();
      this.#updatesViewer = undefined;
    },
  };

  /** Answers what the server was asked until it has done as wished. */
  async #settle(): Promise<void> {
    const { roster } = this.#service.activation.getSnapshot().context;
    await eventually(() => {
      this.#server.release();
      expectMore(Number(roster.isSettled), 0);
    });
  }

  async #post(body: string): Promise<void> {
    const urlOf = () =>
      this.#server.requests.findLast(({ method }) => method === 'PUT')?.body ?? '';
    await eventually(() => expectMore(urlOf().length, 0));
    await fetch(JSON.parse(urlOf()).eventsUrl, { method: 'POST', body });
  }

  get #logic(): typeof activationMachine {
    return this.#service.activation.getSnapshot().machine as typeof activationMachine;
  }

  #timesSeen(type: string): number {
    return this.#seen.get(type) ?? 0;
  }
}

function expectMore(actual: number, than: number): void {
  if (actual <= than) throw new Error(`${actual} is not more than ${than}`);
}
