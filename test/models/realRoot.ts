import { request } from 'node:http';
import type { activationMachine } from '../../machines/activationMachine.js';
import type { Service } from '../../server/service.js';
import { Coverage } from '../simulation/coverage.js';
import { emptyStore } from '../support/emptyStore.js';
import { type EventStream, openEventStream } from '../support/eventStream.js';
import { eventually } from '../support/eventually.js';
import { type ScriptedServer, startScriptedServer } from '../support/scriptedServer.js';
import { startTestService } from '../support/service.js';
import { HandClock } from './handClock.js';

const env = {
  LINGER_MS: '7000',
  REQUEST_TIMEOUT_MS: '20000',
  PROBE_INTERVAL_MS: '30000',
  RESYNC_INTERVAL_MS: '100000',
  // Nobody is there.
  PUBSUB_PORT: '1',
};

/** The real service with one scripted server that answers when a path says so, over HTTP. */
export class RealRoot {
  readonly #service: Service;
  readonly #server: ScriptedServer;
  readonly #clock: HandClock;
  readonly #coverage: Coverage;
  /** Events that the root got, by type. */
  readonly #seen = new Map<string, number>();
  readonly #viewers: EventStream[] = [];
  #roomViewer: EventStream | undefined;
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
    const { actor } = service;
    this.#coverage = new Coverage([
      (actor as unknown as { logic: typeof activationMachine }).logic,
    ]);
    actor.system.inspect((inspected) => {
      this.#coverage.observe(inspected);
      if (inspected.type !== '@xstate.event' || inspected.actorRef !== actor) return;
      const { type } = inspected.event;
      this.#seen.set(type, this.#timesSeen(type) + 1);
    });
  }

  get value(): unknown {
    return this.#service.actor.getSnapshot().value;
  }

  get reached(): string[] {
    return this.#coverage.reached;
  }

  async stop(): Promise<void> {
    const streams = [...this.#viewers, ...(this.#roomViewer ? [this.#roomViewer] : [])];
    await Promise.all(streams.map((stream) => stream.close()));
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
    if (!type.startsWith('after.') && type !== 'room.expired')
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
    'servers.found': () => this.#postFrom('127.0.0.2'),
    'room.watched': async () => {
      const path = '/api/rooms/r/events';
      this.#roomViewer = await openEventStream(this.#service.url, { path });
    },
    'room.unwatched': async () => {
      await this.#roomViewer?.close();
      this.#roomViewer = undefined;
    },
    'room.expired': () => this.#clock.fire(Number(env.LINGER_MS)),
  };

  /** Answers what the server was asked until it has done as wished. */
  async #settle(): Promise<void> {
    const { roster } = this.#service.actor.getSnapshot().context;
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

  /** A post without a token from another address of this machine. */
  #postFrom(localAddress: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const url = `${this.#service.url}/api/events`;
      const posting = request(url, { method: 'POST', localAddress }, (response) => {
        response.resume().once('end', resolve);
      });
      posting.once('error', reject);
      posting.end('{}');
    });
  }

  #timesSeen(type: string): number {
    return this.#seen.get(type) ?? 0;
  }
}

function expectMore(actual: number, than: number): void {
  if (actual <= than) throw new Error(`${actual} is not more than ${than}`);
}
