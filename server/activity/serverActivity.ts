import { conditionOf, healthy } from '../fleet/serverCondition.js';
import type { ActivityKind, NotedEvent } from '../wire/activityEvent.js';
import type { ServerView } from '../wire/serverView.js';

/** What noting events about servers needs. */
export interface ServerActivityNeeds {
  note: (event: NotedEvent) => void;
  /** Whether the configuration names a server. */
  isConfigured: (server: string) => boolean;
  /** Milliseconds of a monotonic clock. */
  now: () => number;
}

/** Servers that a fleet finds in its first seconds were there before. They are no news. */
const beginningMs = 10_000;

/** Notes events about pub-sub servers: found, in trouble, well again, restarted, gone. */
export class ServerActivity {
  readonly #needs: ServerActivityNeeds;
  /** Of each server: the last condition that is not transient, and its name for people. */
  readonly #known = new Map<string, { condition: string; name: string }>();
  #begunAtMs = 0;

  constructor(needs: ServerActivityNeeds) {
    this.#needs = needs;
  }

  /** This instance begins to count: alone, or as the leader. What it knew as an earlier leader is old. */
  begin(): void {
    this.#known.clear();
    this.#begunAtMs = this.#needs.now();
  }

  /** Notes what is new about servers that changed. */
  noteServers(servers: readonly ServerView[]): void {
    for (const server of servers) this.#noteServer(server);
  }

  /** A server told that it is another process than before. */
  noteRestart(server: string): void {
    const { name = server } = this.#known.get(server) ?? {};
    this.#note(server, 'server.restarted', `Pub-sub server ${name} has restarted.`);
  }

  #noteServer(view: ServerView): void {
    const { id, state } = view;
    const before = this.#known.get(id);
    const condition = conditionOf(view) ?? before?.condition ?? healthy;
    const name = view.name === undefined ? (before?.name ?? id) : `${view.name} (${id})`;
    this.#known.set(id, { condition, name });
    if (!before && this.#isNews(id) && state !== 'gone')
      this.#note(id, 'server.found', `Pub-sub server ${name} was found.`);
    if (condition !== (before?.condition ?? healthy)) this.#noteCondition(view, condition, name);
    if (state === 'gone') this.#known.delete(id);
  }

  #isNews(server: string): boolean {
    const { isConfigured, now } = this.#needs;
    return !isConfigured(server) && now() - this.#begunAtMs >= beginningMs;
  }

  #noteCondition(view: ServerView, condition: string, name: string): void {
    const [kind, words] = conditions[condition] ?? conditions[view.state] ?? [];
    if (!kind || !words) return;
    this.#note(view.id, kind, `Pub-sub server ${name} ${words}.`, causeOf(kind, view));
  }

  #note(name: string, kind: ActivityKind, message: string, cause: string | null = null): void {
    const level = warnings.has(kind) ? 'warning' : 'info';
    this.#needs.note({ kind, level, subject: { type: 'server', name }, message, cause });
  }
}

const overLimit: [ActivityKind, string] = [
  'server.over_limit',
  'reports more rooms than MAX_ROOMS_PER_SERVER; the others are not counted',
];

/** Events of the conditions of a server, by condition. */
const conditions: Record<string, [kind: ActivityKind, words: string]> = {
  live: ['server.live', 'is live again'],
  'live, over the limit': overLimit,
  stale: ['server.stale', 'does not answer; its last counts are still shown'],
  unreachable: ['server.unreachable', 'does not answer; its connections are not counted'],
  deaf: ['server.deaf', 'answers, but its posts do not reach this service'],
  gone: ['server.gone', 'is gone: no source names it, and it does not answer'],
};

const warnings: ReadonlySet<ActivityKind> = new Set([
  'server.stale',
  'server.unreachable',
  'server.deaf',
  'server.over_limit',
]);

function causeOf(kind: ActivityKind, { lastFailure, callback }: ServerView): string | null {
  if (kind === 'server.deaf')
    return `it was told to post to ${callback ?? 'an unknown address'}; set PUBLIC_URL to an address that it can reach`;
  return warnings.has(kind) && kind !== 'server.over_limit' ? lastFailure : null;
}
