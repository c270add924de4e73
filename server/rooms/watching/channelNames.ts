import type { RoomName } from '../../../machines/ports.js';

/** How pub-sub servers call the Redis channels of a room: `REDIS_CHANNEL_PREFIX`, `REDIS_PRESENCE_SUFFIX`. */
export class ChannelNames {
  readonly #prefix: string;
  readonly #presenceSuffix: string;

  constructor({ prefix, presenceSuffix }: { prefix: string; presenceSuffix: string }) {
    this.#prefix = prefix;
    this.#presenceSuffix = presenceSuffix;
  }

  updates(room: RoomName): string {
    return `${this.#prefix}${room}`;
  }

  presence(room: RoomName): string {
    return `${this.#prefix}${room}${this.#presenceSuffix}`;
  }

  /** A glob pattern of Redis that matches the channels of all rooms. */
  get pattern(): string {
    return `${this.#prefix.replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
  }

  /** The room whose updates come by a channel; undefined: it is another one, or tells of presence. */
  roomOf(channel: string): RoomName | undefined {
    if (!channel.startsWith(this.#prefix) || channel.endsWith(this.#presenceSuffix))
      return undefined;
    return channel.slice(this.#prefix.length);
  }
}
