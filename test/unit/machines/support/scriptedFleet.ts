import { createActor, fromCallback } from 'xstate';
import { type ActivationActor, activationMachine } from '../../../../machines/activationMachine.js';
import type { ActivationInput } from '../../../../machines/activationSetup.js';
import type {
  DiscoveryRequest,
  Epoch,
  ServerAnswer,
  ServerId,
  ServerRequest,
  Timing,
} from '../../../../machines/ports.js';
import { pubSubServerMachine } from '../../../../machines/pubSubServerMachine.js';
import { HeapClock } from '../heapClock.js';
import { timing } from './scriptedPubSubServer.js';

export const serverIds = (size: number, from = 0): ServerId[] =>
  Array.from(
    { length: size },
    (_, i) => `10.0.${(i + from) >> 8}.${(i + from) & 255}:8001` as ServerId,
  );

export type Behaviour = 'answer' | 'fail' | 'hang' | 'throw';
export type FleetRequest = ServerRequest & { readonly server: ServerId; readonly atMs: number };

/** The root with servers whose requests are answered `latencyMs` later, as the test says for each. */
export class ScriptedFleet {
  readonly clock = new HeapClock();
  readonly actor: ActivationActor;
  readonly requests: FleetRequest[] = [];
  readonly discovery: DiscoveryRequest[] = [];
  readonly rooms = new Map<ServerId, Record<string, number>>();
  readonly behaviours = new Map<ServerId, Behaviour>();
  /** For servers that have none of their own. */
  behaviour: Behaviour = 'answer';
  latencyMs = 10;
  published = 0;
  restarts = 0;
  readonly defects: unknown[] = [];
  readonly errors: unknown[] = [];
  readonly #unpublished: string[] = [];
  #seen = '';
  #publishedWhenSeen = 0;
  /** How many servers the root told something at each time. */
  readonly toldAtMs = new Map<number, number>();
  readonly #answers = new Map<ServerId, (answer: ServerAnswer) => void>();

  constructor(
    servers: readonly ServerId[] = [],
    change: Partial<Timing> = {},
    how: Pick<ActivationInput, 'begins' | 'term'> = {},
  ) {
    const pubSubServer = pubSubServerMachine.provide({
      actors: { serverRequests: this.#serverRequests() },
    });
    const discovery = fromCallback<DiscoveryRequest>(({ receive }) => {
      receive((request) => this.discovery.push(request));
    });
    const machine = activationMachine.provide({
      actors: { pubSubServer, discovery },
      actions: {
        publish: () => {
          this.published += 1;
        },
        restartFeed: () => {
          this.restarts += 1;
        },
        reportDefect: ({ event }) => this.defects.push(event),
      },
    });
    this.actor = createActor(machine, {
      clock: this.clock,
      input: { timing: { ...timing, ...change }, servers, ...how },
      inspect: (inspected) => {
        if (inspected.type !== '@xstate.event') return;
        if (!/^(de)?activation\.requested$/.test(inspected.event.type)) return;
        const { nowMs } = this.clock;
        this.toldAtMs.set(nowMs, (this.toldAtMs.get(nowMs) ?? 0) + 1);
      },
    });
    this.actor.subscribe({ error: (error) => this.errors.push(error) });
    this.actor.start();
    this.clock.afterFiring = () => this.#look();
  }

  #serverRequests() {
    return fromCallback<ServerRequest, { server: ServerId }>(({ input, receive, sendBack }) => {
      const { server } = input;
      receive((request) => {
        this.requests.push({ ...request, server, atMs: this.clock.nowMs });
        const behaviour = () => this.behaviours.get(server) ?? this.behaviour;
        if (behaviour() === 'throw') throw new Error('a defect');
        this.#answers.set(server, sendBack);
        this.clock.setTimeout(() => {
          const how = behaviour();
          if (how === 'answer' || how === 'fail') this.reply(request, server, how);
        }, this.latencyMs);
      });
    });
  }

  /** Answers, or fails, the request that a server was asked last. */
  reply(request: ServerRequest, server: ServerId, behaviour: 'answer' | 'fail'): void {
    const answer = this.#answers.get(server);
    if (behaviour === 'fail') answer?.({ type: 'request.failed', cause: 'refused' });
    else if (request.type === 'activity.requested') {
      const snapshot = new Map(Object.entries(this.rooms.get(server) ?? {}));
      answer?.({ type: 'snapshot.received', epoch: request.epoch, snapshot });
    } else if (request.type === 'silence.requested') answer?.({ type: 'silence.confirmed' });
    else answer?.({ type: 'probe.answered' });
  }

  connect(): void {
    this.#look();
    this.actor.send({ type: 'viewer.connected' });
  }

  disconnect(): void {
    this.#look();
    this.actor.send({ type: 'viewer.disconnected' });
  }

  advance(ms: number): void {
    this.#look();
    this.clock.advance(ms);
  }

  /** Changes that viewers would have seen too late, because nothing was published. */
  get unpublished(): readonly string[] {
    this.#look();
    return this.#unpublished;
  }

  /** Notes a change since the last look if nothing was published since then. */
  #look(): void {
    const { value, status } = this.actor.getSnapshot();
    // Of a big fleet this would take most of a test's time. A service that has stopped has no viewers.
    if (this.roster.size > 10 || status === 'done') return;
    const servers = [...this.roster.shown()].map(({ server, status }) => [server, status]);
    const seen = JSON.stringify([value, this.roster.live, servers, [...this.tally.totals]]);
    if (seen !== this.#seen && this.published === this.#publishedWhenSeen)
      this.#unpublished.push(`${this.#seen} became ${seen}`);
    this.#seen = seen;
    this.#publishedWhenSeen = this.published;
  }

  /** Posts one delta, by default on the URL of the server's newest snapshot. */
  post(
    server: ServerId,
    add: number,
    epoch = this.tally.baseOf(server) ?? (0 as Epoch),
    fromStartup = false,
  ): void {
    const post = { server, epoch, fromStartup, deltas: [{ room: 'r', add }] };
    this.actor.send({ type: 'deltas.received', posts: [post] });
  }

  sent(type: ServerRequest['type'], sinceMs = 0): ServerId[] {
    return this.requests
      .filter((request) => request.type === type && request.atMs >= sinceMs)
      .map(({ server }) => server);
  }

  get state(): string {
    const { value } = this.actor.getSnapshot();
    return typeof value === 'string' ? value : String(Object.values(value)[0]);
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  get tally() {
    return this.context.tally;
  }

  get roster() {
    return this.context.roster;
  }

  status(server: ServerId): string | undefined {
    return this.roster.get(server)?.status;
  }

  /** The servers that have an actor. */
  get actors(): string[] {
    return Object.keys(this.actor.getSnapshot().children).filter((id) => id.startsWith('server:'));
  }
}

/** A fleet that is watched by one viewer, all of its servers live. */
export function watchedFleet(servers: readonly ServerId[], change: Partial<Timing> = {}) {
  const fleet = new ScriptedFleet(servers, change);
  fleet.advance(1000);
  fleet.connect();
  fleet.advance(1000);
  return fleet;
}
