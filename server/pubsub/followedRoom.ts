import type { ServerId } from '../../machines/ports.js';
import type { FollowedRoom, PostedRoom, PostedRoomEvents, RoundAnswers } from './postedRoom.js';

/** A follower of a room that servers post to this instance. A room may have several. */
export class LocalFollower implements FollowedRoom {
  readonly #posted: PostedRoom;
  readonly #events: PostedRoomEvents;
  readonly #onEnd: () => void;
  /** `notes` of the room when the round began. */
  #notes = 0;
  /** The holders at `onFollowed`, until the next round. */
  #justFollowed: readonly ServerId[] = [];
  #isEnded = false;

  /** `onEnd`: nobody else follows the room. */
  constructor(posted: PostedRoom, events: PostedRoomEvents, onEnd: () => void) {
    this.#posted = posted;
    this.#onEnd = onEnd;
    this.#events = {
      ...events,
      onFollowed: (servers) => {
        this.#justFollowed = servers;
        events.onFollowed(servers);
      },
    };
    posted.add(this.#events);
  }

  /** These servers hold the room. */
  note(servers: readonly ServerId[]): void {
    if (!this.#isEnded) this.#posted.note(servers);
  }

  beginRound(): void {
    this.#notes = this.#posted.notes;
  }

  endRound(answers: RoundAnswers): void {
    if (!this.#isEnded) this.#posted.endRound(answers, this.#notes);
  }

  takeJustFollowed(): readonly ServerId[] {
    const servers = this.#justFollowed;
    this.#justFollowed = [];
    return servers;
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (!this.#posted.remove(this.#events)) this.#onEnd();
  }
}
