import type { RoomName } from '../../../machines/ports.js';

/** Names of the Redis channels of rooms, from `REDIS_CHANNEL_PREFIX` and `REDIS_PRESENCE_SUFFIX`. */
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

  /** A Redis glob pattern that matches the channels of all rooms. */
  get pattern(): string {
    return `${this.#prefix.replaceAll(/[*?[\]\\]/g, '\\$&')}*`;
  }

  /** The room of a channel for updates; undefined: it is another channel, or one for presence. */
  roomOf(channel: string): RoomName | undefined {
    if (!channel.startsWith(this.#prefix) || channel.endsWith(this.#presenceSuffix))
      return undefined;
    return channel.slice(this.#prefix.length);
  }
}
