import type { RoomName } from '../../../machines/ports.js';
import { appendJsonField } from '../../appendJsonField.js';
import { isParsedByYjs } from '../../documents/scratchDocument.js';
import { examineUpdate, summarizeUpdate } from '../../documents/updateSummary.js';
import type { RedisChannels } from '../../redis/redisChannels.js';
import { messageFrame } from '../../sse/frames.js';
import { Heartbeat } from '../../sse/heartbeat.js';
import type { Viewer } from '../../sse/viewer.js';
import { PerSecond } from '../../timing/perSecond.js';
import type { ChannelNames } from './channelNames.js';
import { StrangeChannels } from './strangeChannels.js';
import { type Admitted, maxPerSecond, UpdateAudience } from './updateAudience.js';

/** Which updates a viewer is sent, and whether with their bytes. */
export interface UpdatesView {
  prefix: string;
  as: 'log' | 'updates';
}

/** What the feed of all updates needs of the rest of the service. */
export interface UpdatesFeedNeeds {
  /** Undefined: the pub-sub servers are asked to post their updates. */
  redis: RedisChannels | undefined;
  /** How the channels of rooms are called. */
  channels: ChannelNames;
  /** Somebody began to watch what servers post; the last one ceased to. */
  onServersWanted: (isWanted: boolean) => void;
}

/** For all prefixes together; each of them has its share of it for certain. */
const maxInAll = { updates: 4 * maxPerSecond.updates, bytes: 4 * maxPerSecond.bytes };
/** Larger updates are named by their size alone: to read them would hold up everybody. */
const maxExaminedBytes = 16 * 1024;
const maxPrefixes = 64;

/**
 * `connecting`: Redis has not yet said whether it lets this service follow. `asked`: the servers were asked
 * to post, and none has; `following` is said once something proves it.
 */
type FeedState = 'connecting' | 'asked' | 'following' | 'lost' | 'refused';

/** Every update of every document, while somebody watches: by Redis, or as the servers post them. */
export class UpdatesFeed {
  readonly #needs: UpdatesFeedNeeds;
  /** By the prefix that they watch. */
  readonly #audiences = new Map<string, UpdateAudience>();
  readonly #inAll = new PerSecond(maxInAll);
  readonly #strangeChannels = new StrangeChannels();
  #unfollow: (() => void) | undefined;
  /** Begins a second of the allowances; runs while somebody watches. */
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
    this.#state = this.#unproven;
  }

  /** Whether too many prefixes are watched for one more. */
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

  /** Takes an update of a room, if anybody watches. */
  take(room: RoomName, update: Uint8Array): void {
    if (this.#state === 'asked' && this.#seconds) this.#noteState('following');
    const audiences = this.#admitting(room, update.length);
    if (audiences.length === 0) return;
    this.#inAll.use(update.length);
    const entry = this.#entry(room, update);
    if (entry) tellAll(audiences, entry, update);
    else for (const each of audiences) each.noteGarbage(this.#isStrange(room));
  }

  close(): void {
    this.#end();
    for (const viewer of this.#viewers()) viewer.end();
  }

  #begin(): void {
    this.#seconds = setInterval(() => this.#beginSecond(), 1000);
    this.#heartbeat.start();
    if (!this.#needs.redis) {
      this.#needs.onServersWanted(true);
      return;
    }
    this.#unfollow = this.#needs.redis.followPattern(this.#needs.channels.pattern, {
      onMessage: (update, channel) => {
        const room = this.#needs.channels.roomOf(channel);
        if (room !== undefined) this.take(room, update);
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
    this.#state = this.#unproven;
    this.#strangeChannels.forget();
    if (!this.#needs.redis) this.#needs.onServersWanted(false);
  }

  /** Those for whom a message is to be read. */
  #admitting(room: RoomName, bytes: number): UpdateAudience[] {
    let message: Admitted | undefined;
    const admitting: UpdateAudience[] = [];
    for (const audience of this.#audiences.values()) {
      if (!room.startsWith(audience.prefix)) continue;
      message ??= { isStrange: this.#isStrange(room), bytes, isAllowed: this.#isAllowed(bytes) };
      if (audience.admits(message)) admitting.push(audience);
    }
    return admitting;
  }

  /** Whether there is time for an update in this second, at least for those who had less than their share. */
  #isAllowed(bytes: number): (own: PerSecond) => boolean {
    const hasTime = this.#inAll.allows(bytes);
    const share = maxInAll.updates / maxPerSecond.updates / this.#audiences.size;
    return (own) => hasTime || own.allows(bytes, share);
  }

  #isStrange(room: RoomName): boolean {
    return this.source === 'redis' && this.#strangeChannels.isStrange(room);
  }

  #entry(room: RoomName, update: Uint8Array): object | undefined {
    const head = { room, at: new Date().toISOString(), source: this.source };
    if (update.length > maxExaminedBytes)
      return this.#isStrange(room)
        ? undefined
        : { ...head, bytes: update.length, isExamined: false };
    try {
      const entry = { ...head, ...summarizeUpdate(examineUpdate(update)) };
      this.#strangeChannels.note(room, true);
      return entry;
    } catch {
      const isRead = isParsedByYjs(update);
      this.#strangeChannels.note(room, isRead);
      if (isRead) return { ...head, bytes: update.length, isExamined: false };
      return undefined;
    }
  }

  get #unproven(): FeedState {
    return this.#needs.redis ? 'connecting' : 'asked';
  }

  #noteState(state: FeedState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const audience of this.#audiences.values()) audience.tellStatus();
  }

  #beginSecond(): void {
    this.#inAll.reset();
    for (const audience of this.#audiences.values()) audience.beginSecond();
  }

  *#viewers(): Generator<Viewer> {
    for (const audience of this.#audiences.values()) yield* audience.viewers();
  }
}

/** Each frame is encoded once for all. */
function tellAll(audiences: readonly UpdateAudience[], entry: object, update: Uint8Array): void {
  const json = JSON.stringify(entry);
  const frames: Partial<Record<'log' | 'updates', Buffer>> = {};
  const frame = (as: 'log' | 'updates') => {
    frames[as] ??= messageFrame(as === 'log' ? json : withBytes(json, update), { event: 'update' });
    return frames[as];
  };
  for (const audience of audiences) audience.tell(frame);
}

function withBytes(json: string, update: Uint8Array): string {
  return appendJsonField(json, 'update', `"${Buffer.from(update).toString('base64')}"`);
}
