import type { Epoch, ServerAnswer, ServerId, ServerRequest } from '../../../machines/ports.js';
import { snapshotOf } from '../answers.js';
import type { Reply } from '../pubSubHost.js';
import type { InstancesWorld } from './instancesWorld.js';
import type { SimulatedInstance } from './simulatedInstance.js';

interface OpenRequest {
  readonly request: ServerRequest;
  eventsUrl: string | undefined;
  deadline: number | undefined;
  readonly fail: (cause: string) => void;
}

type Answer = (answer: ServerAnswer) => void;

/** What one leadership knows of its requests. */
export interface RequestsNeeds {
  /** The URL with a token for a server. */
  eventsUrl: (server: ServerId, epoch: Epoch) => string;
  onBegun: (server: ServerId) => void;
  onHeard: (server: ServerId) => void;
  onFailed: (server: ServerId) => void;
  /** A renewal of the lease, before a slice of silences. */
  renew: (done: (isHeld: boolean) => void) => void;
}

/** How long one renewal serves all silences. */
const sliceMs = 200;

/** The requests of one leadership, as `server/pubsub/pubSubServers.ts` makes them: first a connection, then the body. */
export class InstanceRequests {
  readonly open = new Map<ServerId, OpenRequest>();
  readonly #world: InstancesWorld;
  readonly #instance: SimulatedInstance;
  readonly #needs: RequestsNeeds;
  /** Requests that are held back. */
  readonly #waiting = new Map<ServerId, () => void>();
  #onEnded: (() => void) | undefined;
  #isClosed = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(world: InstancesWorld, instance: SimulatedInstance, needs: RequestsNeeds) {
    this.#world = world;
    this.#instance = instance;
    this.#needs = needs;
  }

  send(server: ServerId, request: ServerRequest, answer: Answer): void {
    const { clock } = this.#instance;
    const end = (outcome: ServerAnswer) => {
      if (this.open.get(server) !== open) return;
      this.abandon(server);
      if (outcome.type === 'request.failed') this.#needs.onFailed(server);
      else this.#needs.onHeard(server);
      answer(outcome);
    };
    const fail = (cause: string) => end({ type: 'request.failed', cause });
    const open: OpenRequest = { request, eventsUrl: undefined, deadline: undefined, fail };
    open.deadline = clock.setTimeout(
      () => fail('timed out'),
      this.#world.plan.timing.requestTimeoutMs,
    );
    this.open.set(server, open);
    this.#needs.onBegun(server);
    const start = () => this.#start(server, open, end);
    if (this.#isClosed) clock.setTimeout(() => fail('the lease is over'), 0);
    else if (this.#onEnded) this.#waiting.set(server, start);
    else start();
  }

  awaits(server: ServerId, eventsUrl: string): boolean {
    return this.open.get(server)?.eventsUrl === eventsUrl;
  }

  /** Nothing of its request comes back. */
  abandon(server: ServerId): void {
    this.#instance.clock.clearTimeout(this.open.get(server)?.deadline);
    this.open.delete(server);
    this.#waiting.delete(server);
    this.#checkEnded();
  }

  /** No request starts from now on; those that are open go on, and `onEnded` is called after the last. */
  hold(onEnded: () => void): void {
    this.#onEnded = onEnded;
    this.#instance.clock.setTimeout(() => this.#checkEnded(), 0);
  }

  resume(): void {
    this.#onEnded = undefined;
    for (const [server, start] of [...this.#waiting]) {
      this.#waiting.delete(server);
      start();
    }
  }

  /** Every open request is reset at once. */
  close(): void {
    this.#isClosed = true;
    for (const server of [...this.open.keys()]) this.abandon(server);
  }

  #checkEnded(): void {
    if (this.#isClosed || this.open.size > this.#waiting.size) return;
    this.#onEnded?.();
  }

  #start(server: ServerId, open: OpenRequest, end: Answer): void {
    const connect = () => this.#connect(server, open, end);
    if (open.request.type === 'silence.requested') this.#renewed(connect);
    else connect();
  }

  #renewed(go: () => void): void {
    const { clock } = this.#instance;
    if (clock.nowMs - this.#renewedAtMs < sliceMs) {
      go();
      return;
    }
    this.#needs.renew((isHeld) => {
      if (!isHeld) return;
      this.#renewedAtMs = clock.nowMs;
      go();
    });
  }

  #connect(server: ServerId, open: OpenRequest, end: Answer): void {
    const { site, clock, name } = this.#instance;
    const what = `the connection of ${name} to ${server}`;
    const { connectMs } = this.#world.plan.links;
    const happen = () => clock.run(() => this.#sendBody(server, open, end));
    const deliver = () => this.#world.later(this.#world.random.between(0, connectMs), happen);
    this.#world.links.carry({ from: site.name, to: 'servers', what, deliver });
  }

  /** The connection is there. Both clocks are read again. */
  #sendBody(server: ServerId, open: OpenRequest, end: Answer): void {
    if (this.open.get(server) !== open) return;
    const { bug } = this.#world;
    if (!this.#instance.mayAct && !bug?.doesNotCheckTwice) {
      open.fail('the lease is over');
      return;
    }
    const { request } = open;
    this.#world.time.outside(() => this.#write(server, open, end));
    this.#world.oracle.atBody(this.#instance, server, request);
  }

  #write(server: ServerId, open: OpenRequest, end: Answer): void {
    const { hosts, network, links } = this.#world;
    const { request } = open;
    const { site, clock, name } = this.#instance;
    const host = hosts.find(({ id }) => id === server);
    const epoch = 'epoch' in request ? request.epoch : undefined;
    const what = `${request.type} (${epoch}) of ${name} to ${server}`;
    this.#world.note(() => `${what} goes out`);
    const refused = () => clock.run(() => open.fail('refused'));
    if (!host) return void this.#world.later(1, refused);
    const wish = epoch !== undefined && {
      active: request.type === 'activity.requested',
      eventsUrl: this.#needs.eventsUrl(server, epoch),
    };
    open.eventsUrl = wish ? wish.eventsUrl : undefined;
    const answered = (reply: Reply) => clock.run(() => end(answerOf(request, reply)));
    const reply = (given: Reply | 'refused') => {
      const deliver = () => {
        if (!links.isOpen('servers', site.name)) return;
        if (given === 'refused') refused();
        else answered(given);
      };
      const back = `the answer to ${what}`;
      network.carry({
        host,
        direction: 'toService',
        kind: 'answer',
        what: back,
        deliver,
        reset: refused,
      });
    };
    const deliver = () => {
      host.receive({ what, reply, ...(wish && { wish }) });
      if (open.request.type === 'activity.requested') this.#world.noteActivity(host);
    };
    network.carry({ host, direction: 'toServer', kind: 'request', what, deliver, reset: refused });
  }
}

function answerOf(request: ServerRequest, { json }: Reply): ServerAnswer {
  if (request.type === 'probe.requested') return { type: 'probe.answered' };
  if (request.type === 'silence.requested') return { type: 'silence.confirmed' };
  return { type: 'snapshot.received', epoch: request.epoch, snapshot: snapshotOf(json) };
}
