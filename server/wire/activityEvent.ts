/** What an event is about. */
export type ActivityKind =
  /** A pub-sub server that is not in `PUBSUB_SERVERS` was found. */
  | 'server.found'
  /** It is well again. */
  | 'server.live'
  /** It does not answer. Its last counts are still shown. */
  | 'server.stale'
  /** It does not answer, and its counts were removed. */
  | 'server.unreachable'
  /** It answers, but its posts do not arrive. */
  | 'server.deaf'
  /** It reports more rooms than `MAX_ROOMS_PER_SERVER`. */
  | 'server.over_limit'
  /** It is another process than before. Only servers with an agent tell. */
  | 'server.restarted'
  /** No source names it any longer, and it does not answer. */
  | 'server.gone'
  /** The servers of a watched room hold different documents. */
  | 'room.diverged'
  | 'room.agreed'
  /** An instance of this service has another role. */
  | 'instance.alone'
  | 'instance.leading'
  | 'instance.following'
  | 'instance.isolated'
  /** The process of an instance did not run for a while: it was stopped, its machine was suspended, or it was too busy. */
  | 'instance.paused'
  /** Redis, the store, a name server or the receiver of webhooks does not answer. */
  | 'dependency.failed'
  | 'dependency.recovered';

/** Something that happened: an entry of `GET /api/activity`, in events `activity`, and in webhooks. */
export interface ActivityEvent {
  /** `<number>-<letters>`. Unique over restarts and instances. The number grows with each event of an instance. */
  id: string;
  /** When it was noted, in ISO 8601. */
  at: string;
  kind: ActivityKind;
  level: 'info' | 'warning';
  subject: { type: 'server' | 'room' | 'instance' | 'dependency'; name: string };
  /** One sentence for people. */
  message: string;
  /** Why it happened; null: it is not known, or the message says it. */
  cause: string | null;
  /** URL of the instance that noted it. */
  instance: string;
}

/** An event as a part of the service notes it. */
export type NotedEvent = Omit<ActivityEvent, 'id' | 'at' | 'instance'>;
