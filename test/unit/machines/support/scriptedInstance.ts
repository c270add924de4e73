import { type CallbackActorRef, createActor, type EventObject, fromCallback } from 'xstate';
import { activationMachine } from '../../../../machines/activationMachine.js';
import type { ActivationInput } from '../../../../machines/activationSetup.js';
import { type InstanceActor, instanceMachine } from '../../../../machines/instanceMachine.js';
import type { InstanceEvent } from '../../../../machines/instanceSetup.js';
import type {
  DiscoveryRequest,
  ElectionRequest,
  Leader,
  ServerId,
  ServerRequest,
} from '../../../../machines/ports.js';
import { pubSubServerMachine } from '../../../../machines/pubSubServerMachine.js';
import type { TallyLimits } from '../../../../machines/tally.js';
import { perLeadership } from '../../../../server/wiring/perLeadership.js';
import { Coverage } from '../../../worlds/coverage.js';
import { HeapClock } from '../heapClock.js';
import { timing } from './scriptedPubSubServer.js';

export const leader: Leader = {
  instance: 'other',
  term: 7,
  url: 'http://10.0.0.2:8000',
  isActive: true,
};
export const server = '10.0.1.1:8001' as ServerId;

/** An instance whose election the test plays. Its one server answers at once. */
export class ScriptedInstance {
  readonly clock = new HeapClock();
  readonly actor: InstanceActor;
  /** What the slots were told, in order. */
  readonly told: string[] = [];
  /** Inputs of the activations so far. */
  readonly activations: ActivationInput[] = [];
  readonly errors: unknown[] = [];
  hasSuccessor = true;
  #toMachine: ((event: EventObject) => void) | undefined;

  readonly coverage: Coverage;

  constructor({
    isInCluster = true,
    limits,
    requestTimeoutMs = timing.requestTimeoutMs,
  }: { isInCluster?: boolean; limits?: TallyLimits; requestTimeoutMs?: number } = {}) {
    const note = (what: string) => () => void this.told.push(what);
    const machine = instanceMachine.provide({
      actors: { activation: this.#activation(), election: this.#election() },
      actions: {
        publishRole: note('role'),
        holdRequests: note('hold'),
        resumeRequests: note('resume'),
        closeFleet: note('close'),
        reportDefect: note('defect'),
      },
      guards: { hasSuccessor: () => this.hasSuccessor },
    });
    this.coverage = new Coverage([machine]);
    this.actor = createActor(machine, {
      clock: this.clock,
      input: {
        timing: { ...timing, requestTimeoutMs },
        servers: [server],
        isInCluster,
        ...(limits && { limits }),
      },
      inspect: this.coverage.observe,
    });
    this.actor.subscribe({ error: (error) => this.errors.push(error) });
    this.actor.start();
  }

  /** Its state; of a nested one the path. */
  get state(): string {
    return stateOf(this.actor);
  }

  get activation() {
    const { activation } = this.actor.getSnapshot().children;
    return activation as ReturnType<typeof createActor<typeof activationMachine>> | undefined;
  }

  get context() {
    return this.actor.getSnapshot().context;
  }

  /** The election, or anybody else, says this. */
  take(event: InstanceEvent): void {
    if (/^(leader|lease|redis)\./.test(event.type)) this.#toMachine?.(event);
    else this.actor.send(event);
  }

  #activation() {
    const serverRequests = fromCallback<ServerRequest, { server: ServerId }>(
      ({ receive, sendBack }) => {
        receive((request) => {
          if (request.type === 'silence.requested') sendBack({ type: 'silence.confirmed' });
          else if (request.type === 'activity.requested') {
            const { epoch } = request;
            sendBack({ type: 'snapshot.received', epoch, snapshot: new Map() });
          }
        });
      },
    );
    const nothing = () => undefined;
    const machine = activationMachine.provide({
      actors: {
        pubSubServer: pubSubServerMachine.provide({ actors: { serverRequests } }),
        discovery: fromCallback<DiscoveryRequest>(nothing),
      },
      actions: { publish: nothing, restartFeed: nothing, reportDefect: nothing },
    });
    return perLeadership((_actor, input) => {
      this.activations.push(input);
      return { machine, begin: () => void this.told.push('open') };
    });
  }

  #election() {
    return fromCallback<ElectionRequest>(({ receive, sendBack }) => {
      this.#toMachine = sendBack as CallbackActorRef<EventObject>['send'];
      receive(({ type, ...rest }) => {
        this.told.push([type, ...Object.values(rest)].join(' '));
      });
      return () => void this.told.push('election ended');
    });
  }
}

function stateOf(actor: InstanceActor): string {
  const paths = (value: unknown): string => {
    if (typeof value === 'string') return value;
    const [[state, inner] = ['', '']] = Object.entries(value as object);
    return `${state}.${paths(inner)}`;
  };
  return paths(actor.getSnapshot().value);
}
