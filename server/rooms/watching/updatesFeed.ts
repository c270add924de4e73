import type { RoomName } from '../../../machines/ports.js';
import { appendJsonField } from '../../appendJsonField.js';
import { isParsedByYjs } from '../../documents/scratchDocument.js';
import { examineUpdate, summarizeUpdate } from '../../documents/updateSummary.js';
import type { RedisChannels } from '../../redis/redisChannels.js';
import type { StreamViewer } from '../../sse/channel.js';
import { asBuffer, messageFrame } from '../../sse/frames.js';
import { Heartbeat } from '../../sse/heartbeat.js';
import type { Viewer } from '../../sse/viewer.js';
import { PerSecond } from '../../timing/perSecond.js';
import type { ChannelNames } from './channelNames.js';
import { ForeignChannels } from './foreignChannels.js';
import { maxPerSecond, type UnreadMessage, UpdateAudience } from './updateAudience.js';
import type { UpdatesSource } from './updatesSource.js';

/** Which updates a viewer gets. `log`: without their bytes. */
export interface UpdatesView {
  prefix: string;
  as: 'log' | 'updates';
}

/** What the feed of all updates needs of the rest of the service. */
export interface UpdatesFeedNeeds {
  /** Undefined: pub-sub servers are asked to post their updates. */
  redis: RedisChannels | undefined;
  /** Names of the channels of rooms. */
  channels: ChannelNames;
  /** What servers post. Not used with Redis. */
  posted: UpdatesSource;
}

/** Most that is read in a second for all prefixes together. Each has its share guaranteed. */
const maxTotal = { updates: 4 * maxPerSecond.updates, bytes: 4 * maxPerSecond.bytes };
/** Larger updates are only listed with their size, because reading them would block the main loop. */
const maxExaminedBytes = 16 * 1024;
const maxPrefixes = 64;

/**
 * `connecting`: the subscription is not confirmed yet. `asked`: the servers were asked to post updates, and none has
 * so far. `following`: updates arrive, or the subscription is confirmed.
 */
type FeedState = 'connecting' | 'asked' | 'following' | 'lost' | 'refused';

/** Updates of all documents for viewers, from Redis or posted by servers. Idle without viewers. */
export class UpdatesFeed {
  readonly #needs: UpdatesFeedNeeds;
  /** By prefix. */
  readonly #audiences = new Map<string, UpdateAudience>();
  readonly #totalRate = new PerSecond(maxTotal);
  readonly #foreignChannels = new ForeignChannels();
  #unfollow: (() => void) | undefined;
  /** Starts the limits of each second; runs while there are viewers. */
  #seconds: NodeJS.Timeout | undefined;
  readonly #heartbeat = new Heartbeat({
    catchUp: () => {
      for (const audience of this.#audiences.values()) audience.catchUp();
    },
    viewers: () => this.#viewers(),
  });
  #state: FeedState;

  constructor(needs: UpdatesFeedNeeds) {
    this.#needs = needs;
    this.#state = this.#initialState;
  }

  /** Whether too many prefixes are watched to add this one. */
  isFullFor(prefix: string): boolean {
    return prefix !== '' && !this.#audiences.has(prefix) && this.#audiences.size >= maxPrefixes;
  }

  get viewers(): number {
    let viewers = 0;
    for (const { size } of this.#audiences.values()) viewers += size;
    return viewers;
  }

  get source(): 'redis' | 'servers' {
    return this.#needs.redis ? 'redis' : 'servers';
  }

  add(viewer: Viewer, { prefix, as }: UpdatesView): void {
    const about = () => ({ source: this.source, state: this.#state });
    const audience = this.#audiences.get(prefix) ?? new UpdateAudience(prefix, about);
    this.#audiences.set(prefix, audience);
    audience.add(viewer, as);
    if (this.viewers === 1) this.#begin();
  }

  remove(viewer: Viewer): void {
    for (const audience of this.#audiences.values()) {
      audience.remove(viewer);
      if (audience.size === 0) this.#audiences.delete(audience.prefix);
    }
    if (this.#audiences.size === 0) this.#end();
  }

  /** Passes an update of a room to the viewers, if there are any. */
  #take(room: RoomName, update: Uint8Array): void {
    if (this.#state === 'asked' && this.#seconds) this.#noteState('following');
    const audiences = this.#admitting(room, update.length);
    if (audiences.length === 0) return;
    this.#totalRate.use(update.length);
    const entry = this.#entry(room, update);
    if (entry) broadcastAll(audiences, entry, update);
    else for (const each of audiences) each.noteGarbage(this.#isForeign(room));
  }

  close(): void {
    this.#end();
    for (const viewer of this.#viewers()) viewer.end();
  }

  #begin(): void {
    this.#seconds = setInterval(() => this.#beginSecond(), 1000);
    this.#heartbeat.start();
    const { redis } = this.#needs;
    this.#unfollow = redis ? this.#followRedis(redis) : this.#followServers();
  }

  #followServers(): () => void {
    return this.#needs.posted.follow({
      onAsked: () => this.#noteState('asked'),
      onUpdate: (room, update) => this.#take(room, update),
      onLost: () => this.#noteState('lost'),
    });
  }

  #followRedis(redis: RedisChannels): () => void {
    return redis.followPattern(this.#needs.channels.pattern, {
      onMessage: (update, channel) => {
        const room = this.#needs.channels.roomOf(channel);
        if (room !== undefined) this.#take(room, update);
      },
      onSubscribed: () => this.#noteState('following'),
      onLost: () => this.#noteState('lost'),
      onFailed: (cause) => this.#noteState(cause === 'refused' ? 'refused' : 'lost'),
    });
  }

  #end(): void {
    if (!this.#seconds) return;
    clearInterval(this.#seconds);
    this.#seconds = undefined;
    this.#heartbeat.stop();
    this.#unfollow?.();
    this.#unfollow = undefined;
    this.#state = this.#initialState;
    this.#foreignChannels.forget();
  }

  /** The audiences for which a message is read. */
  #admitting(room: RoomName, bytes: number): UpdateAudience[] {
    let message: UnreadMessage | undefined;
    const admitting: UpdateAudience[] = [];
    for (const audience of this.#audiences.values()) {
      if (!room.startsWith(audience.prefix)) continue;
      message ??= { isForeign: this.#isForeign(room), bytes, isAllowed: this.#isAllowed(bytes) };
      if (audience.admits(message)) admitting.push(audience);
    }
    return admitting;
  }

  /** Whether one more update fits into this second; always for an audience that had less than its share. */
  #isAllowed(bytes: number): (own: PerSecond) => boolean {
    const hasTime = this.#totalRate.allows(bytes);
    const share = maxTotal.updates / maxPerSecond.updates / this.#audiences.size;
    return (own) => hasTime || own.allows(bytes, share);
  }

  #isForeign(room: RoomName): boolean {
    return this.source === 'redis' && this.#foreignChannels.isForeign(room);
  }

  #entry(room: RoomName, update: Uint8Array): object | undefined {
    const head = { room, at: new Date().toISOString(), source: this.source };
    if (update.length > maxExaminedBytes)
      return this.#isForeign(room)
        ? undefined
        : { ...head, bytes: update.length, isExamined: false };
    try {
      const entry = { ...head, ...summarizeUpdate(examineUpdate(update)) };
      this.#foreignChannels.note(room, true);
      return entry;
    } catch {
      const isRead = isParsedByYjs(update);
      this.#foreignChannels.note(room, isRead);
      if (isRead) return { ...head, bytes: update.length, isExamined: false };
      return undefined;
    }
  }

  get #initialState(): FeedState {
    return this.#needs.redis ? 'connecting' : 'asked';
  }

  #noteState(state: FeedState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const audience of this.#audiences.values()) audience.broadcastStatus();
  }

  #beginSecond(): void {
    this.#totalRate.reset();
    for (const audience of this.#audiences.values()) audience.beginSecond();
  }

  *#viewers(): Generator<StreamViewer> {
    for (const audience of this.#audiences.values()) yield* audience.viewers();
  }
}

/** Encodes each frame once for all audiences. */
function broadcastAll(
  audiences: readonly UpdateAudience[],
  entry: object,
  update: Uint8Array,
): void {
  const json = JSON.stringify(entry);
  const frames: Partial<Record<'log' | 'updates', Buffer>> = {};
  const frame = (as: 'log' | 'updates') => {
    frames[as] ??= messageFrame(as === 'log' ? json : withBytes(json, update), { event: 'update' });
    return frames[as];
  };
  for (const audience of audiences) audience.broadcast(frame);
}

function withBytes(json: string, update: Uint8Array): string {
  return appendJsonField(json, 'update', `"${asBuffer(update).toString('base64')}"`);
}
