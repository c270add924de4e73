/** What the machines need from outside, and the ids that they use. */

declare const brand: unique symbol;

/** `host:port` of one pub-sub server, normalized (`10.0.0.3:8001`, `[::1]:8001`). Made by the edge only. */
export type ServerId = string & { readonly [brand]: 'ServerId' };

/** Raw request path of a room, never decoded (`a%20b`, `a/b`, `__proto__`). */
export type RoomName = string;

/** Number of a request that sets a pub-sub server's URL. It grows, and one run never uses it twice. */
export type Epoch = number & { readonly [brand]: 'Epoch' };

/** A snapshot of a pub-sub server: its connections for each room. A room that it names twice is summed. */
export type Connections = Map<RoomName, number>;

/** Why a request to a pub-sub server failed, for an operator to read. */
export type FailureCause = string;

/**
 * Why a server is asked for its connections. `activation`: it is not counted yet. `regular`: the resync interval is
 * over. `confirmation`: a request that was not acknowledged may have been applied after the last snapshot.
 * `evidence`: its numbers are wrong. `missed_posts`: its posts do not arrive. `updates`: it has to begin or cease to
 * post updates. `overtaken`: its last snapshot was not of the newest request. `failure`: its last request failed.
 */
export type SnapshotReason =
  | 'activation'
  | 'regular'
  | 'confirmation'
  | 'evidence'
  | 'missed_posts'
  | 'updates'
  | 'overtaken'
  | 'failure';

/** Requests of a server's machine to the slot `serverRequests`. One at a time; each is answered once. */
export type ServerRequest =
  /** Start posting, with document updates if `withUpdates`. Answered with the current connections: `snapshot.received`. */
  | { type: 'activity.requested'; epoch: Epoch; withUpdates: boolean; reason: SnapshotReason }
  /** Stop posting. Answered with `silence.confirmed`. */
  | { type: 'silence.requested'; epoch: Epoch }
  /** Is the server there? Answered with `probe.answered`. */
  | { type: 'probe.requested' };

/** Answers of the slot `serverRequests`. Each request gets exactly one of these within its deadline. */
export type ServerAnswer =
  | { type: 'snapshot.received'; epoch: Epoch; snapshot: Connections }
  | { type: 'silence.confirmed' }
  | { type: 'probe.answered' }
  | { type: 'request.failed'; cause: FailureCause };

/**
 * What the service tells the slot `discovery`. The slot sends `servers.discovered` once at the start,
 * and repeatedly between `discovery.begun` and `discovery.ended`.
 */
export type DiscoveryRequest =
  | { type: 'discovery.begun' }
  | { type: 'discovery.ended' }
  /** This is a pub-sub server, whatever the sources say. Discovery remembers it over restarts. */
  | { type: 'server.proved'; server: ServerId }
  /** The server is gone. Discovery no longer remembers it. */
  | { type: 'server.forgotten'; server: ServerId };

/** One run of one instance of this service: random, base64url. */
export type InstanceId = string;

/** Number of a leadership, the fencing token. A later leadership has a larger one. */
export type Term = number;

/** The instance that contacts the pub-sub servers for all. */
export interface Leader {
  readonly instance: InstanceId;
  readonly term: Term;
  /** Where other instances reach it, without a trailing slash. */
  readonly url: string;
  /** Where pub-sub servers reach it; undefined: each at the address that its own connection shows. */
  readonly serversUrl?: string | undefined;
  /** Whether its pub-sub servers post. */
  readonly isActive: boolean;
}

/** Requests of the instance's machine to the slot `election`. */
export type ElectionRequest =
  /** Try to lead, perhaps later. Answered with `lease.taken`, `leader.seen` or `redis.lost`. */
  | { type: 'campaign.requested' }
  /** Give the lease back. Answered with `lease.lost`. `backOffMs`: let others campaign for so long. */
  | { type: 'release.requested'; backOffMs?: number };

/** Events of the slot `election`. */
export type ElectionEvent =
  /** Another instance leads. Repeated when its term, URL or activity changes. */
  | { type: 'leader.seen'; leader: Leader }
  /** The lease expired or was released: an instance may campaign. */
  | { type: 'leader.gone' }
  /** This instance leads. `wasActive`: under the leader before, pub-sub servers posted. */
  | { type: 'lease.taken'; term: Term; wasActive: boolean }
  /** This instance no longer leads. No request to a pub-sub server may go on. */
  | { type: 'lease.lost'; cause: FailureCause }
  | { type: 'redis.lost'; cause: FailureCause }
  | { type: 'redis.answered' };

/** Times of the machines, in milliseconds. */
export interface Timing {
  readonly lingerMs: number;
  readonly requestTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly resyncIntervalMs: number;
  readonly room: RoomTiming;
}

/** Times of the machine of a watched room, in milliseconds. */
export interface RoomTiming {
  /** How long to wait for the channel before asking the servers without it. */
  readonly subscribingMs: number;
  /** Between rounds while updates arrive on the channel. */
  readonly checkMs: number;
  /** Between rounds while only rounds find changes. Longer for big rooms. */
  readonly pollMs: number;
}

/** Events of the slot `roomChannel`. The contract of a channel is in docs/protocol.md. */
export type RoomChannelEvent =
  /** No update is missed from now on, until the channel is lost. Repeated when something may have been missed. */
  | { type: 'channel.subscribed' }
  | { type: 'channel.lost' }
  /** There is no channel, so the servers must be asked repeatedly. If there was one, it is lost first. */
  | { type: 'channel.missing' }
  | { type: 'update.received'; update: Uint8Array };

/** Requests of a room's machine to the slot `roomSources`. One at a time. */
export type RoomSourceRequest =
  /** Which servers may hold the room? Answered with `servers.located`. */
  | { type: 'location.requested' }
  /** The states of these servers. Answered with a `state.received` for each that has one, then `states.completed`. */
  | { type: 'states.requested'; servers: readonly ServerId[] };

/** Answers of the slot `roomSources`, within a deadline. */
export type RoomSourceAnswer =
  | { type: 'servers.located'; servers: readonly ServerId[] }
  | { type: 'state.received'; server: ServerId; state: Uint8Array }
  /** `holders`: servers that sent a state. `failures`: servers that did not say whether they hold it. */
  | { type: 'states.completed'; holders: number; failures: number };

/** Commands of a room's machine to the slot `roomDocument`, in order. */
export type RoomDocumentCommand =
  /** Merge the whole state of one server. The slot holds updates back until the first round has ended. */
  | { type: 'state.merged'; server: ServerId; state: Uint8Array }
  /**
   * All states of this round were sent, and can be shown and compared. Answered with `round.merged`.
   * `isJudged`: the channel should have brought what this round found new on the servers of the round before.
   */
  | { type: 'round.ended'; isJudged: boolean }
  | { type: 'update.applied'; update: Uint8Array }
  /** The channel was subscribed. It has not brought anything yet. */
  | { type: 'channel.begun' };

/** Events of the slot `roomDocument`. */
export type RoomDocumentEvent =
  /**
   * The answer to `round.ended`. `read`: servers with a readable state. `unreadable`: servers that sent
   * something else.
   */
  | { type: 'round.merged'; read: number; unreadable: number }
  /** An update could not be applied, because the document lacks something that it builds on. */
  | { type: 'update.refused' }
  /** The document is lost, and must be merged again. */
  | { type: 'document.lost' }
  /** A judged round found changes that the channel has not brought. */
  | { type: 'changes.undelivered' }
  /** The channel brought something new or missed, and nothing is missing now. Sent once until the next miss. */
  | { type: 'changes.delivered' };

/** The state of a room for its viewers: a state of the region `standing` of its machine. */
export type RoomStanding =
  | 'locating'
  | 'merging'
  | 'live'
  | 'polling'
  | 'unreadable'
  | 'waiting'
  | 'gone';

/**
 * The state of the channel that brings a room's updates.
 * `none`: there is no channel. `subscribed`: it has brought nothing new yet. `followed`: it brings what is
 * new. `silent`: servers have changes that it did not bring.
 */
export type RoomChannelStanding =
  | 'none'
  | 'connecting'
  | 'subscribed'
  | 'followed'
  | 'silent'
  | 'lost';
