/** What the machines need of the outside, and the branded ids they speak of. */

declare const brand: unique symbol;

/** `host:port` of one pub-sub server, normalized (`10.0.0.3:8001`, `[::1]:8001`). Made by the edge only. */
export type ServerId = string & { readonly [brand]: 'ServerId' };

/** Raw request path of a room, never decoded (`a%20b`, `a/b`, `__proto__`). */
export type RoomName = string;

/** Number of an attempt to set a pub-sub server right; grows over one run of the service, never reused. */
export type Epoch = number & { readonly [brand]: 'Epoch' };

/** A snapshot as a pub-sub server answered it: its connections for each room, repeats summed. */
export type Connections = Map<RoomName, number>;

/** Why a request to a pub-sub server failed, in words for an operator. */
export type FailureCause = string;

/** What a pub-sub server's machine asks of the slot `serverRequests`. One at a time; each is answered once. */
export type ServerRequest =
  /** Start posting, updates of documents too if asked, and answer with the current connections: `snapshot.received`. */
  | { type: 'activity.requested'; epoch: Epoch; withUpdates: boolean }
  /** Stop posting: `silence.confirmed`. */
  | { type: 'silence.requested'; epoch: Epoch }
  /** Are you there: `probe.answered`. */
  | { type: 'probe.requested' };

/** What the slot `serverRequests` answers; each request comes to exactly one of these, within its deadline. */
export type ServerAnswer =
  | { type: 'snapshot.received'; epoch: Epoch; snapshot: Connections }
  | { type: 'silence.confirmed' }
  | { type: 'probe.answered' }
  | { type: 'request.failed'; cause: FailureCause };

/**
 * What the service tells the slot `discovery`, which answers with `servers.discovered` once at the
 * start, and again and again between `discovery.begun` and `discovery.ended`.
 */
export type DiscoveryRequest =
  | { type: 'discovery.begun' }
  | { type: 'discovery.ended' }
  /** This is a pub-sub server, whatever the sources say: to be remembered over restarts. */
  | { type: 'server.proved'; server: ServerId }
  /** It is gone: nobody needs to remember it. */
  | { type: 'server.forgotten'; server: ServerId };

/** The times that the machines keep, in milliseconds. */
export interface Timing {
  readonly lingerMs: number;
  readonly requestTimeoutMs: number;
  readonly probeIntervalMs: number;
  readonly resyncIntervalMs: number;
  readonly room: RoomTiming;
}

/** The times that the machine of a watched room keeps, in milliseconds. */
export interface RoomTiming {
  /** How long to wait for the channel before the servers are asked without it. */
  readonly subscribingMs: number;
  /** Between rounds while updates come by the channel. */
  readonly checkMs: number;
  /** Between rounds while nothing else tells of changes; longer for big rooms. */
  readonly pollMs: number;
}

/** What the slot `roomChannel` says of a room's updates; the contract of a channel is docs/protocol.md. */
export type RoomChannelEvent =
  /** No update is missed from now on, until the channel is lost. */
  | { type: 'channel.subscribed' }
  | { type: 'channel.lost' }
  /** There is nothing to subscribe to: the servers must be asked again and again. */
  | { type: 'channel.missing' }
  | { type: 'update.received'; update: Uint8Array };

/** What a room's machine asks of the slot `roomSources`; one at a time. */
export type RoomSourceRequest =
  /** Which servers may hold it: `servers.located`. */
  | { type: 'location.requested' }
  /** Their states: a `state.received` for each that has it, then `states.completed`. */
  | { type: 'states.requested'; servers: readonly ServerId[] };

/** What the slot `roomSources` answers, within a deadline. */
export type RoomSourceAnswer =
  | { type: 'servers.located'; servers: readonly ServerId[] }
  | { type: 'state.received'; server: ServerId; state: Uint8Array }
  /** `holders`: servers that sent a state. `failures`: servers that did not say whether they hold it. */
  | { type: 'states.completed'; holders: number; failures: number };

/** What a room's machine tells the slot `roomDocument`, in order. */
export type RoomDocumentCommand =
  /** The whole state of one server, to be merged; the slot holds updates back until the first round has ended. */
  | { type: 'state.merged'; server: ServerId; state: Uint8Array }
  /**
   * All states of this round have been given: they can be shown and compared. Answered by `round.merged`.
   * `isJudged`: the channel should have brought what this round found on servers that the round before had found.
   */
  | { type: 'round.ended'; isJudged: boolean }
  | { type: 'update.applied'; update: Uint8Array }
  /** The channel is subscribed; nothing is known yet of what it brings. */
  | { type: 'channel.begun' };

/** What the slot `roomDocument` says. */
export type RoomDocumentEvent =
  /**
   * The answer to `round.ended`. `read`: servers whose state could be read. `unreadable`: servers that sent
   * something else.
   */
  | { type: 'round.merged'; read: number; unreadable: number }
  /** An update could not be applied: the document lacks something. */
  | { type: 'update.refused' }
  /** The document is gone, and has to be put together again. */
  | { type: 'document.lost' }
  /** A judged round found what the channel has not brought so far. */
  | { type: 'news.missed' }
  /** The channel brought something new, or what was missed, and nothing is missed now. Once until the next miss. */
  | { type: 'news.heard' };
