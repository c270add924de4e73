import type { ActivationActor } from '../../machines/activationMachine.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import type { Watching } from '../observations/watchedTimes.js';
import type { ToldInfo } from '../pubsub/agentInfo.js';
import type { FeedStatus } from '../wire/fleetEvents.js';
import type { RoomCounts } from '../wire/roomCounts.js';
import type { ServerDetails, ServerView } from '../wire/serverView.js';
import type { IncompleteReason, ServiceState } from '../wire/serviceState.js';
import { agentView } from './agentView.js';
import type { FeedSource } from './feedSource.js';
import { goneServer, unknownSize } from './goneServer.js';
import { HeardTimes } from './heardTimes.js';
import { incompleteReason } from './incompleteReason.js';
import { KnownCounts } from './knownCounts.js';

/** What the view cannot read from the machine. */
export interface FleetViewNeeds {
  /** Where a server was told to post, without the token. */
  callbackOf?: (server: ServerId) => string | undefined;
  /** What a server told of itself; undefined: nothing. */
  agentOf?: (server: ServerId) => ToldInfo | undefined;
  /** Called when a server is no longer known. */
  onGone?: (server: ServerId) => void;
  /** Whether every discovery source has answered since the start. */
  haveSourcesAnswered?: () => boolean;
  /** Viewers of all instances of a cluster. Default: those of this instance. */
  viewers?: () => number;
}

/** What viewers see of the machine, its tally and its roster. */
export class FleetView implements FeedSource {
  readonly #actor: ActivationActor;
  readonly #heard = new HeardTimes();
  /** The servers over the limit when changed servers were last taken. */
  #overLimit: ReadonlySet<ServerId> = new Set();

  readonly #callbackOf: (server: ServerId) => string | undefined;
  readonly #agentOf: (server: ServerId) => ToldInfo | undefined;
  readonly #onGone: (server: ServerId) => void;
  readonly #haveSourcesAnswered: () => boolean;
  readonly #viewers: () => number;

  constructor(
    actor: ActivationActor,
    {
      callbackOf = () => undefined,
      agentOf = () => undefined,
      onGone = () => {},
      haveSourcesAnswered = () => true,
      viewers = () => this.#context.viewers,
    }: FleetViewNeeds = {},
  ) {
    this.#actor = actor;
    this.#callbackOf = callbackOf;
    this.#agentOf = agentOf;
    this.#onGone = onGone;
    this.#haveSourcesAnswered = haveSourcesAnswered;
    this.#viewers = viewers;
  }

  /** Notes that a server answered or posted just now. */
  noteHeard(server: ServerId): void {
    this.#heard.note(server);
  }

  get totals() {
    return this.#context.tally.totals;
  }

  takeChangedRooms() {
    return this.#context.tally.takeChanged();
  }

  takeChangedServers(): ServerView[] {
    const { roster } = this.#context;
    const views: ServerView[] = [];
    for (const server of new Set([...roster.takeChanged(), ...this.#takeOverLimitChanged()])) {
      const member = roster.get(server);
      if (member?.standing === 'candidate') continue;
      const view = member ? this.#view(member) : goneServer(server);
      if (!member) this.#forget(server);
      views.push(view);
    }
    return views;
  }

  servers(): ServerView[] {
    return [...this.#context.roster.shown()].map((member) => this.#view(member));
  }

  /** All servers, with what they told of themselves. */
  serverDetails(): ServerDetails[] {
    const { roster, tally } = this.#context;
    return [...roster.shown()].map((member) => {
      const agent = this.#agentOf(member.server);
      const view = this.#view(member);
      const drift = view.epoch === null ? null : (tally.correctedOn(member.server) ?? null);
      return { ...view, ...(agent && { agent: agentView(agent) }), drift };
    });
  }

  /** Rooms and connections of each server. */
  *sizes(): Generator<{
    server: ServerId;
    rooms: number | null;
    connections: number | null;
  }> {
    const { roster, tally } = this.#context;
    for (const { server } of roster.shown())
      yield {
        server,
        ...(tally.baseOf(server) === undefined ? unknownSize : tally.sizeOf(server)),
      };
  }

  /** The rooms of one server; null: it has not reported, or is not known. */
  roomsOn(server: ServerId): (readonly [RoomName, number])[] | null {
    const { roster, tally } = this.#context;
    const isKnown = roster.get(server) !== undefined && tally.baseOf(server) !== undefined;
    return isKnown ? tally.roomsOn(server) : null;
  }

  countsOf(room: RoomName): RoomCounts {
    const { roster, tally } = this.#context;
    const counts = this.counts();
    const servers = [];
    for (const { server } of roster.shown()) {
      const connections = tally.countOn(server, room);
      if (connections > 0) servers.push({ id: server, connections });
    }
    servers.sort((one, other) => other.connections - one.connections);
    return {
      room,
      connections: counts.of(room),
      complete: counts.isCompleteFor(room),
      servers: servers.length > 0 || counts.isAnyReported ? servers : null,
    };
  }

  /** The counts of now. */
  counts(): KnownCounts {
    return new KnownCounts(this.#counted, this.isComplete);
  }

  status(): FeedStatus {
    const reason = this.incompleteReason;
    return { state: this.#activation.state, complete: reason === null, reason };
  }

  /** Substate of `active`, as in the state; else null. */
  get detail(): string | null {
    return this.#activation.detail;
  }

  state(): ServiceState {
    const { roster } = this.#context;
    const reason = this.incompleteReason;
    const { rooms, connections } = new KnownCounts(this.#counted, reason === null);
    return {
      ...this.#activation,
      viewers: this.#viewers(),
      servers: roster.size,
      live: roster.live,
      rooms,
      connections,
      complete: reason === null,
      reason,
    };
  }

  /** Whether at least one server is known, and all are live and counted in full. */
  get isComplete(): boolean {
    return this.incompleteReason === null;
  }

  get incompleteReason(): IncompleteReason | null {
    const snapshot = this.#actor.getSnapshot();
    const isCounting = snapshot.matches('activating') || snapshot.matches('active');
    return incompleteReason(isCounting, this.#counted);
  }

  /** Whether the service counts now, and whether the counts are complete. */
  watching(): Watching {
    const snapshot = this.#actor.getSnapshot();
    const isCounting = snapshot.matches('activating') || snapshot.matches('active');
    return { isCounting, isComplete: isCounting && this.isComplete };
  }

  get #activation(): Pick<ServiceState, 'state' | 'detail'> {
    const { value } = this.#actor.getSnapshot();
    if (typeof value === 'string') return { state: value, detail: null };
    return { state: 'active', detail: String(value.active) };
  }

  /** The servers that went over the limit or back under it since the last call. */
  #takeOverLimitChanged(): ServerId[] {
    const { overLimit } = this.#context.tally;
    if (overLimit.size === 0 && this.#overLimit.size === 0) return [];
    const before = this.#overLimit;
    this.#overLimit = new Set(overLimit);
    return [...before, ...overLimit].filter(
      (server) => before.has(server) !== overLimit.has(server),
    );
  }

  #forget(server: ServerId): void {
    this.#heard.forget(server);
    this.#onGone(server);
  }

  #view({ server, status, ref }: Member): ServerView {
    const { tally } = this.#context;
    const heardAt = this.#heard.of(server);
    const name = this.#agentOf(server)?.name;
    return {
      id: server,
      ...(name !== undefined && { name }),
      state: status,
      lastHeardAt: heardAt === undefined ? null : new Date(heardAt).toISOString(),
      epoch: tally.baseOf(server) ?? null,
      ...(tally.baseOf(server) === undefined ? unknownSize : tally.sizeOf(server)),
      overLimit: tally.overLimit.has(server),
      lastFailure: ref.getSnapshot().context.lastFailure,
      callback: this.#callbackOf(server) ?? null,
    };
  }

  get #counted() {
    return { ...this.#context, haveSourcesAnswered: this.#haveSourcesAnswered() };
  }

  get #context() {
    return this.#actor.getSnapshot().context;
  }
}
