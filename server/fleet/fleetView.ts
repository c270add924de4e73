import type { Logger } from 'pino';
import type { ActivationActor } from '../../machines/activationMachine.js';
import type { RoomName, ServerId } from '../../machines/ports.js';
import type { Member } from '../../machines/roster.js';
import type { Watching } from '../observations/watchedTimes.js';
import type { FeedStatus } from '../wire/fleetEvents.js';
import type { RoomCounts } from '../wire/roomCounts.js';
import type { ServerView } from '../wire/serverView.js';
import type { IncompleteReason, ServiceState } from '../wire/serviceState.js';
import { incompleteReason } from './completeness.js';
import type { FeedSource } from './feed.js';
import { FleetLog } from './fleetLog.js';
import { HeardTimes } from './heardTimes.js';
import { KnownCounts } from './knownCounts.js';

/** What viewers are shown of the machine, its tally and its roster. */
export class FleetView implements FeedSource {
  readonly #actor: ActivationActor;
  readonly #heard = new HeardTimes();
  /** As viewers were told last. */
  #overLimit: ReadonlySet<ServerId> = new Set();

  readonly #log: FleetLog;

  readonly #callbackOf: (server: ServerId) => string | undefined;
  readonly #areSourcesHeard: () => boolean;

  /**
   * `callbackOf`: where a server was told to post to, without the token. `areSourcesHeard`: whether every
   * source of servers has answered once.
   */
  constructor(
    actor: ActivationActor,
    log: Logger,
    callbackOf: (server: ServerId) => string | undefined = () => undefined,
    areSourcesHeard: () => boolean = () => true,
  ) {
    this.#actor = actor;
    this.#log = new FleetLog(log);
    this.#callbackOf = callbackOf;
    this.#areSourcesHeard = areSourcesHeard;
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
      const view = member ? this.#view(member) : { ...nothing, id: server, state: 'gone' };
      if (!member) this.#heard.forget(server);
      this.#log.noteServer(view, member?.standing === 'configured');
      views.push(view);
    }
    return views;
  }

  servers(): ServerView[] {
    return [...this.#context.roster.shown()].map((member) => this.#view(member));
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
    const shown = this.state();
    this.#log.noteState(shown);
    const { state, complete, reason } = shown;
    return { state, complete, reason };
  }

  state(): ServiceState {
    const { value, context } = this.#actor.getSnapshot();
    const { roster, viewers } = context;
    const [state, detail] =
      typeof value === 'string' ? [value, null] : ['active', String(value.active)];
    const reason = this.incompleteReason;
    const { rooms, connections } = new KnownCounts(this.#counted, reason === null);
    return {
      state,
      detail,
      viewers,
      servers: roster.size,
      live: roster.live,
      rooms,
      connections,
      complete: reason === null,
      reason,
    };
  }

  /** Whether there are known servers, and all of them are live and counted in full. */
  get isComplete(): boolean {
    return this.incompleteReason === null;
  }

  get incompleteReason(): IncompleteReason | null {
    const snapshot = this.#actor.getSnapshot();
    const isCounting = snapshot.matches('activating') || snapshot.matches('active');
    return incompleteReason(isCounting, this.#counted);
  }

  /** Whether the counts are followed now, and all of them. */
  watching(): Watching {
    const snapshot = this.#actor.getSnapshot();
    const isCounting = snapshot.matches('activating') || snapshot.matches('active');
    return { isCounting, isComplete: isCounting && this.isComplete };
  }

  /** The servers that have gone over the limit, or come back under it, since the last call. */
  #takeOverLimitChanged(): ServerId[] {
    const { overLimit } = this.#context.tally;
    if (overLimit.size === 0 && this.#overLimit.size === 0) return [];
    const before = this.#overLimit;
    this.#overLimit = new Set(overLimit);
    return [...before, ...overLimit].filter(
      (server) => before.has(server) !== overLimit.has(server),
    );
  }

  #view({ server, status, ref }: Member): ServerView {
    const { tally } = this.#context;
    const heardAt = this.#heard.of(server);
    return {
      id: server,
      state: status,
      lastHeardAt: heardAt === undefined ? null : new Date(heardAt).toISOString(),
      epoch: tally.baseOf(server) ?? null,
      ...(tally.baseOf(server) === undefined ? unknownSize : tally.sizeOf(server)),
      overLimit: tally.overLimit.has(server),
      lastFailure: ref.getSnapshot().context.lastFailure,
      callback: this.#callbackOf(server) ?? null,
    };
  }

  /** What the counts rest on. */
  get #counted() {
    return { ...this.#context, areSourcesHeard: this.#areSourcesHeard() };
  }

  get #context() {
    return this.#actor.getSnapshot().context;
  }
}

const unknownSize = { rooms: null, connections: null };

const nothing = {
  lastHeardAt: null,
  epoch: null,
  ...unknownSize,
  overLimit: false,
  lastFailure: null,
  callback: null,
};
