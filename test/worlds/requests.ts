import type { Epoch, ServerAnswer, ServerId, ServerRequest } from '../../machines/ports.js';
import { snapshotOf } from './answers.js';
import type { Reply } from './pubSubHost.js';
import type { SimulatedService } from './simulatedService.js';
import type { World } from './world.js';

interface OpenRequest {
  readonly type: ServerRequest['type'];
  readonly eventsUrl: string | undefined;
  readonly sentAtMs: number;
  /** The timer that ends the wait for it. */
  deadline: number | undefined;
}

type Answer = (answer: ServerAnswer) => void;

/** The requests of one run of the service, as `server/pubsub/pubSubServers.ts` makes them. */
export class SimulatedRequests {
  readonly #world: World;
  readonly #service: SimulatedService;
  readonly open = new Map<ServerId, OpenRequest>();
  /** When each server was last sent anything. */
  readonly sentAtMs = new Map<ServerId, number>();
  /** When each server was last heard of by an answer. */
  readonly answeredAtMs = new Map<ServerId, number>();
  /** When each server was last sent a request that it answered with a snapshot. */
  readonly snapshotSentAtMs = new Map<ServerId, number>();

  constructor(world: World, service: SimulatedService) {
    this.#world = world;
    this.#service = service;
  }

  /** One request of the actor of a server. */
  send(server: ServerId, request: ServerRequest, answer: Answer): void {
    if (this.#world.defective === server) {
      this.#world.defective = undefined;
      throw new Error('a defect');
    }
    this.#world.oracle.atRequest(this.#service, server, request);
    this.#exchange(server, request, answer);
  }

  /** Whether the answer to a request with this URL is still waited for. */
  awaits(server: ServerId, eventsUrl: string): boolean {
    return this.open.get(server)?.eventsUrl === eventsUrl;
  }

  /** The actor of a server ended: nothing of its request comes back. */
  abandon(server: ServerId): void {
    this.#world.clock.clearTimeout(this.open.get(server)?.deadline);
    this.open.delete(server);
  }

  /** Answered once, within its deadline. */
  #exchange(server: ServerId, request: ServerRequest, answer: Answer): void {
    const { clock, plan } = this.#world;
    const wish = this.#wishOf(server, request);
    const open: OpenRequest = {
      type: request.type,
      eventsUrl: wish?.eventsUrl,
      sentAtMs: clock.nowMs,
      deadline: undefined,
    };
    const end = (outcome: ServerAnswer) => {
      clock.clearTimeout(open.deadline);
      if (!this.#isTaken(server, open)) return;
      if (outcome.type !== 'request.failed') this.#noteAnswer(server, open);
      this.#world.oracle.atAnswer(server, request, outcome);
      answer(outcome);
    };
    const fail = (cause: string) => end({ type: 'request.failed', cause });
    open.deadline = clock.setTimeout(() => fail('timed out'), plan.timing.requestTimeoutMs);
    this.open.set(server, open);
    this.sentAtMs.set(server, open.sentAtMs);
    const epoch = 'epoch' in request ? ` (${request.epoch})` : '';
    this.#world.exchange(server, `${request.type}${epoch} to ${server}`, wish, {
      refused: () => fail('refused'),
      answered: (reply) => end(answerOf(request, reply)),
    });
  }

  #wishOf(server: ServerId, request: ServerRequest) {
    if (request.type === 'probe.requested') return undefined;
    const active = request.type === 'activity.requested';
    return { active, eventsUrl: this.#eventsUrl(server, request.epoch) };
  }

  #eventsUrl(server: ServerId, epoch: Epoch): string {
    const { tokens } = this.#service;
    const token = tokens.mint({ kind: 'server', server, epoch, fromStartup: false });
    return this.#service.urlOf(token);
  }

  /** Ends the wait for it, if it is still waited for. */
  #isTaken(server: ServerId, request: OpenRequest): boolean {
    if (this.#service.isStopped) return false;
    if (this.open.get(server) !== request) return this.#world.bug?.takesLateAnswers === true;
    return this.open.delete(server);
  }

  #noteAnswer(server: ServerId, { type, sentAtMs }: OpenRequest): void {
    if (type === 'activity.requested') this.snapshotSentAtMs.set(server, sentAtMs);
    this.answeredAtMs.set(server, this.#world.nowMs);
    this.#service.view.noteHeard(server);
  }
}

function answerOf(request: ServerRequest, { json }: Reply): ServerAnswer {
  if (request.type === 'probe.requested') return { type: 'probe.answered' };
  if (request.type === 'silence.requested') return { type: 'silence.confirmed' };
  return { type: 'snapshot.received', epoch: request.epoch, snapshot: snapshotOf(json) };
}
