import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { FollowedRoom, PostedRoomEvents, RoundAnswers } from '../../pubsub/postedRoom.js';
import type { RoomChannels } from '../watching/roomChannels.js';

/** The rooms that are followed at this instance. Servers may post them to this or to another instance. */
export class SwitchedChannels implements RoomChannels {
  #channels: RoomChannels;
  readonly #rooms = new Set<SwitchedRoom>();

  constructor(channels: RoomChannels) {
    this.#channels = channels;
  }

  /** Servers post to another instance from now on. Followed rooms are lost, and followed again there. */
  use(channels: RoomChannels): void {
    this.#channels = channels;
    for (const room of [...this.#rooms]) room.use(channels);
  }

  follow(name: RoomName, events: PostedRoomEvents): FollowedRoom {
    const room = new SwitchedRoom(name, events, () => this.#rooms.delete(room));
    this.#rooms.add(room);
    room.use(this.#channels);
    return room;
  }
}

/** A followed room. Tells nothing of a channel that it left. */
class SwitchedRoom implements FollowedRoom {
  readonly #room: RoomName;
  readonly #events: PostedRoomEvents;
  readonly #onEnd: () => void;
  #followed: FollowedRoom | undefined;
  #isLost = false;
  #isEnded = false;
  /** Number of channels so far. */
  #uses = 0;

  constructor(room: RoomName, events: PostedRoomEvents, onEnd: () => void) {
    this.#room = room;
    this.#events = events;
    this.#onEnd = onEnd;
  }

  use(channels: RoomChannels): void {
    if (this.#isEnded) return;
    this.#uses += 1;
    this.#followed?.end();
    if (this.#followed) this.#lose();
    this.#followed = channels.follow(this.#room, this.#eventsOf(this.#uses));
  }

  beginRound(): void {
    this.#followed?.beginRound();
  }

  endRound(answers: RoundAnswers): void {
    this.#followed?.endRound(answers);
  }

  takeJustFollowed(): readonly ServerId[] {
    return this.#followed?.takeJustFollowed() ?? [];
  }

  end(): void {
    this.#isEnded = true;
    this.#uses += 1;
    this.#followed?.end();
    this.#onEnd();
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#events.onLost();
  }

  #eventsOf(use: number): PostedRoomEvents {
    const { onFollowed, onMissing, onUpdate, onAwareness, onDropped } = this.#events;
    const ifUsed =
      <Args extends unknown[]>(tell: (...args: Args) => void) =>
      (...args: Args) => {
        if (use === this.#uses) tell(...args);
      };
    const found =
      <Args extends unknown[]>(tell: (...args: Args) => void) =>
      (...args: Args) => {
        this.#isLost = false;
        tell(...args);
      };
    return {
      onFollowed: ifUsed(found(onFollowed)),
      onMissing: ifUsed(found(onMissing)),
      onLost: ifUsed(() => this.#lose()),
      onUpdate: ifUsed(onUpdate),
      onAwareness: ifUsed(onAwareness),
      onDropped: ifUsed(onDropped),
    };
  }
}
