import type { RoomName } from '../../machines/ports.js';
import type { RedisChannels } from '../adapters/redisChannels.js';
import { examineUpdate, summarizeUpdate } from '../documents/updateSummary.js';
import { Channel } from '../sse/channel.js';
import { messageFrame } from '../sse/frames.js';
import { heartbeatMs, maxPendingMs, tickMs } from '../sse/liveness.js';
import type { Viewer } from '../sse/viewer.js';

/** Which updates a viewer is sent, and whether with their bytes. */
export interface UpdatesView {
  prefix: string;
  as: 'log' | 'updates';
}

/** What the feed of all updates needs of the rest of the service. */
export interface UpdatesFeedNeeds {
  /** Undefined: the pub-sub servers are asked to post their updates. */
  redis: RedisChannels | undefined;
  /** Somebody began to watch what servers post; the last one ceased to. */
  onServersWanted: (isWanted: boolean) => void;
}

const presence = /-presence$/;
/** What is taken in of a second: the rest is counted and dropped. */
const maxPerSecond = { updates: 2000, bytes: 4 * 1024 * 1024 };
/** Larger updates are named by their size alone: to read them would hold up everybody. */
const maxExaminedBytes = 16 * 1024;
const maxChannels = 64;

/**
 * `connecting`: Redis has not yet said whether it lets this service follow. `asked`: the servers were asked
 * to post, and none has; `following` is said once something proves it.
 */
type FeedState = 'connecting' | 'asked' | 'following' | 'lost' | 'refused';

interface View extends UpdatesView {
  channel: Channel;
}

/** Every update of every document, while somebody watches: by Redis, or as the servers post them. */
export class UpdatesFeed {
  readonly #needs: UpdatesFeedNeeds;
  readonly #views = new Map<string, View>();
  #unfollow: (() => void) | undefined;
  #ticker: NodeJS.Timeout | undefined;
  #ticks = 0;
  #taken = { updates: 0, bytes: 0 };
  #dropped = 0;
  #garbage = 0;
  /** `dropped` and `garbage` as the viewers were told last. */
  #told = '0 0';
  #state: FeedState;

  constructor(needs: UpdatesFeedNeeds) {
    this.#needs = needs;
    this.#state = this.#unproven;
  }

  /** Whether viewers with a prefix of their own can still be added. */
  get isFull(): boolean {
    return this.#views.size >= maxChannels;
  }

  get viewers(): number {
    let viewers = 0;
    for (const { channel } of this.#views.values()) viewers += channel.size;
    return viewers;
  }

  get source(): 'redis' | 'servers' {
    return this.#needs.redis ? 'redis' : 'servers';
  }

  add(viewer: Viewer, { prefix, as }: UpdatesView): void {
    const key = `${as} ${prefix}`;
    const known = this.#views.get(key);
    const view = known ?? { prefix, as, channel: new Channel(() => this.#statusFrame()) };
    if (!known) this.#views.set(key, view);
    view.channel.addBehind(viewer);
    if (this.viewers === 1) this.#begin();
  }

  remove(viewer: Viewer): void {
    for (const [key, { channel }] of this.#views) {
      channel.remove(viewer);
      if (channel.size === 0) this.#views.delete(key);
    }
    if (this.#views.size === 0) this.#end();
  }

  /** Takes an update of a room, if anybody watches. */
  take(room: RoomName, update: Uint8Array): void {
    if (this.#state === 'asked' && this.#ticker) this.#noteState('following');
    if (!this.#isWatched(room)) return;
    const { updates, bytes } = this.#taken;
    if (updates >= maxPerSecond.updates || bytes + update.length > maxPerSecond.bytes) {
      this.#dropped += 1;
      return;
    }
    this.#taken = { updates: updates + 1, bytes: bytes + update.length };
    const entry = this.#entry(room, update);
    if (entry) this.#broadcast(room, JSON.stringify(entry), update);
  }

  close(): void {
    this.#end();
    for (const { channel } of this.#views.values()) for (const viewer of channel) viewer.end();
  }

  #begin(): void {
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    if (!this.#needs.redis) {
      this.#needs.onServersWanted(true);
      return;
    }
    this.#unfollow = this.#needs.redis.followPattern('*', {
      onMessage: (update, channel) => {
        if (!presence.test(channel)) this.take(channel, update);
      },
      onSubscribed: () => this.#noteState('following'),
      onLost: () => this.#noteState('lost'),
      onFailed: (cause) => this.#noteState(cause === 'refused' ? 'refused' : 'lost'),
    });
  }

  #end(): void {
    if (!this.#ticker) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#state = this.#unproven;
    if (!this.#needs.redis) this.#needs.onServersWanted(false);
  }

  #isWatched(room: RoomName): boolean {
    for (const { prefix } of this.#views.values()) if (room.startsWith(prefix)) return true;
    return false;
  }

  #entry(room: RoomName, update: Uint8Array): object | undefined {
    const head = { room, at: new Date().toISOString(), source: this.source };
    if (update.length > maxExaminedBytes)
      return { ...head, bytes: update.length, isExamined: false };
    try {
      return { ...head, ...summarizeUpdate(examineUpdate(update)), isExamined: true };
    } catch {
      this.#garbage += 1;
      return undefined;
    }
  }

  #broadcast(room: RoomName, json: string, update: Uint8Array): void {
    let log: Buffer | undefined;
    let whole: Buffer | undefined;
    for (const { prefix, as, channel } of this.#views.values()) {
      if (!room.startsWith(prefix)) continue;
      if (as === 'log') {
        log ??= messageFrame(json, { event: 'update' });
        channel.broadcast(log);
      } else {
        whole ??= messageFrame(withBytes(json, update), { event: 'update' });
        channel.broadcast(whole);
      }
    }
  }

  get #unproven(): FeedState {
    return this.#needs.redis ? 'connecting' : 'asked';
  }

  #noteState(state: FeedState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#tellStatus();
  }

  #tellStatus(): void {
    this.#told = `${this.#dropped} ${this.#garbage}`;
    const frame = this.#statusFrame();
    for (const { channel } of this.#views.values()) channel.broadcast(frame);
  }

  /** How the feed stands. Whoever missed updates gets it in their place: `dropped` does not count those. */
  #statusFrame(): Buffer {
    const status = {
      source: this.source,
      state: this.#state,
      dropped: this.#dropped,
      garbage: this.#garbage,
    };
    return messageFrame(JSON.stringify(status), { event: 'status' });
  }

  #tick(): void {
    this.#ticks += 1;
    this.#taken = { updates: 0, bytes: 0 };
    if (this.#told !== `${this.#dropped} ${this.#garbage}`) this.#tellStatus();
    const isBeat = this.#ticks % (heartbeatMs / tickMs) === 0;
    for (const { channel } of this.#views.values()) {
      channel.catchUp();
      if (isBeat) for (const viewer of channel) viewer.beat(maxPendingMs);
    }
  }
}

function withBytes(json: string, update: Uint8Array): string {
  return `${json.slice(0, -1)},"update":"${Buffer.from(update).toString('base64')}"}`;
}
