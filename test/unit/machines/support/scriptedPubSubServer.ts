import { expect } from '@jest/globals';
import { createActor, fromCallback, setup } from 'xstate';
import type { Epoch, ServerAnswer, ServerId, ServerRequest } from '../../../../machines/ports.js';
import { pubSubServerMachine } from '../../../../machines/pubSubServerMachine.js';
import type {
  PubSubServerEvent,
  ServerReport,
  ServerStatus,
} from '../../../../machines/pubSubServerSetup.js';
import { Tally } from '../../../../machines/tally.js';
import { HeapClock } from '../heapClock.js';

export const timing = {
  lingerMs: 5000,
  requestTimeoutMs: 2000,
  probeIntervalMs: 5000,
  resyncIntervalMs: 30_000,
  room: { subscribingMs: 3000, checkMs: 5000, pollMs: 1000 },
};
/** With this jitter retries come exactly at the backoff, and the other times are these. */
export const jitter = 0.5;
export const probeMs = 4500;
export const resyncMs = 28_500;
export const overdueMs = 3 * timing.probeIntervalMs + timing.requestTimeoutMs;

export const server = '10.0.0.1:8001' as ServerId;

export type SentRequest = ServerRequest & { readonly atMs: number };
export type RequestType = ServerRequest['type'];

/** One actor of `pubSubServerMachine` under a parent that keeps its reports; its requests are answered by hand. */
export class ScriptedPubSubServer {
  readonly clock = new HeapClock();
  readonly tally = new Tally();
  readonly requests: SentRequest[] = [];
  readonly reports: ServerReport[] = [];
  readonly errors: unknown[] = [];
  /** The server that requests go to. */
  asked: ServerId | undefined;
  /** The request that has not been answered yet. */
  open: SentRequest | undefined;
  /** Requests that were sent while another was open; must stay empty. */
  readonly overlaps: SentRequest[] = [];
  #answer: (answer: ServerAnswer) => void = () => {};
  #behaviour:
    | { behave: (request: SentRequest) => 'answer' | 'fail'; latencyMs: number }
    | undefined;
  #planned = 0;
  readonly #send: (event: PubSubServerEvent) => void;
  readonly stop: () => void;

  constructor(change: { jitter?: number; timing?: Partial<typeof timing> } = {}) {
    const serverRequests = fromCallback<ServerRequest, { server: ServerId }>(
      ({ input, receive, sendBack }) => {
        this.asked = input.server;
        receive((request) => {
          const sent = { ...request, atMs: this.clock.nowMs };
          if (this.open) this.overlaps.push(sent);
          this.open = sent;
          this.#answer = sendBack;
          this.requests.push(sent);
          this.#plan();
        });
      },
    );
    const pubSubServer = pubSubServerMachine.provide({ actors: { serverRequests } });
    const parent = setup({
      types: { events: {} as ServerReport },
      actors: { pubSubServer },
      actions: { keep: ({ event }) => this.reports.push(event) },
    }).createMachine({
      invoke: {
        id: 'child',
        src: 'pubSubServer',
        input: {
          server,
          tally: this.tally,
          timing: { ...timing, ...change.timing },
          jitter: change.jitter ?? jitter,
        },
      },
      on: { 'server.*': { actions: 'keep' } },
    });
    const actor = createActor(parent, { clock: this.clock });
    actor.subscribe({ error: (error) => this.errors.push(error) });
    actor.start();
    this.#send = (event) => actor.getSnapshot().children.child?.send(event);
    this.stop = () => actor.stop();
  }

  /** The state of the actor to its parent, as it reported last. */
  get status(): ServerStatus | undefined {
    return this.#statusReports.at(-1)?.status;
  }

  get failures(): number | undefined {
    return this.#statusReports.at(-1)?.failures;
  }

  get #statusReports() {
    return this.reports.filter((report) => report.type === 'server.reported');
  }

  send(type: Exclude<PubSubServerEvent['type'], ServerAnswer['type']>): void {
    this.#send({ type });
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Answers the open request as a server does, with these rooms in a snapshot. */
  answer(rooms: Record<string, number> = {}): void {
    const { open } = this;
    if (!open) throw new Error('no request is open');
    if (open.type === 'activity.requested') {
      const { epoch } = open;
      const snapshot = new Map(Object.entries(rooms));
      this.reply({ type: 'snapshot.received', epoch, snapshot });
    } else if (open.type === 'silence.requested') this.reply({ type: 'silence.confirmed' });
    else this.reply({ type: 'probe.answered' });
  }

  fail(cause = 'timed out'): void {
    if (!this.open) throw new Error('no request is open');
    this.reply({ type: 'request.failed', cause });
  }

  /** Lets `ms` pass; every request is answered, or failed, this much later. */
  run(ms: number, behave: (request: SentRequest) => 'answer' | 'fail', latencyMs = 1): void {
    this.#behaviour = { behave, latencyMs };
    this.#plan();
    this.advance(ms);
    this.#behaviour = undefined;
    this.clock.clearTimeout(this.#planned);
  }

  #plan(): void {
    const { open } = this;
    if (!open || !this.#behaviour) return;
    const { behave, latencyMs } = this.#behaviour;
    this.#planned = this.clock.setTimeout(() => this[behave(open)](), latencyMs);
  }

  /** Answers until nothing is asked any longer. */
  settle(rooms: Record<string, number> = {}): void {
    for (let i = 0; this.open && i < 10; i += 1) this.answer(rooms);
  }

  /** Posts one delta under an epoch, as the root records it. */
  post(epoch: Epoch, add: number, fromStartup = false): void {
    const deltas = [{ room: 'r', add }];
    const finding = this.tally.record({ server, epoch, fromStartup, deltas });
    if (finding === 'superseded') this.send('evidence.found');
    if (finding === 'doubtful') this.send('doubt.raised');
    for (const _ of this.tally.takePosters()) this.send('post.received');
  }

  /** Requests of a type since a time. */
  sent(type: RequestType, sinceMs = 0): SentRequest[] {
    return this.requests.filter((request) => request.type === type && request.atMs >= sinceMs);
  }

  times(type: RequestType, sinceMs = 0): number[] {
    return this.sent(type, sinceMs).map(({ atMs }) => atMs);
  }

  get baseEpoch(): Epoch {
    return this.tally.baseOf(server) as Epoch;
  }

  reply(answer: ServerAnswer): void {
    this.open = undefined;
    this.#answer(answer);
  }
}

/** One that is live, with these rooms, at time 0. */
export function liveServer(
  rooms: Record<string, number> = {},
  change?: ConstructorParameters<typeof ScriptedPubSubServer>[0],
): ScriptedPubSubServer {
  const world = new ScriptedPubSubServer(change);
  world.send('activation.requested');
  world.answer(rooms);
  return world;
}

/** Ends one after its test: it never had two requests open, and threw nothing. */
export function endWell(world: ScriptedPubSubServer): void {
  expect(world.overlaps).toEqual([]);
  expect(world.errors).toEqual([]);
  world.stop();
}
