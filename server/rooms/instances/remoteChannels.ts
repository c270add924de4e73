import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { InstanceEvent } from '../../cluster/instanceEvents.js';
import { parseJson } from '../../parseJson.js';
import type { FollowedRoom, PostedRoomEvents, RoundAnswers } from '../../pubsub/postedRoom.js';
import { type Clock, systemClock } from '../../timing/clock.js';
import type { RoomChannels } from '../watching/roomChannels.js';
import type { LeaderLink } from './leaderLink.js';
import { SteadyStream } from './steadyStream.js';

type Timers = Pick<Clock, 'setTimeout' | 'clearTimeout'>;

/** Rooms whose servers post to the leader, which passes it on. */
export class RemoteChannels implements RoomChannels {
  readonly #link: LeaderLink;
  readonly #clock: Timers;

  constructor(link: LeaderLink, clock: Timers = systemClock) {
    this.#link = link;
    this.#clock = clock;
  }

  follow(room: RoomName, events: PostedRoomEvents): FollowedRoom {
    return new RemoteRoom(room, events, { link: this.#link, clock: this.#clock });
  }
}

/** One room that is followed by the leader's posts. */
class RemoteRoom implements FollowedRoom {
  readonly #room: RoomName;
  readonly #events: PostedRoomEvents;
  readonly #link: LeaderLink;
  readonly #stream: SteadyStream;
  /** `PostedRoom.notes` of the leader, at its last beat and at the beginning of the round. */
  #notes = 0;
  #roundNotes: number | undefined;
  #justFollowed: readonly ServerId[] = [];
  #isOpen = false;

  constructor(
    room: RoomName,
    events: PostedRoomEvents,
    { link, clock }: { link: LeaderLink; clock: Timers },
  ) {
    this.#room = room;
    this.#events = events;
    this.#link = link;
    const path = `/api/instances/rooms/posts?${new URLSearchParams({ room })}`;
    const onOpen = () => {
      this.#isOpen = true;
    };
    const onEnd = () => this.#lose();
    const onEvent = (event: InstanceEvent) => this.#take(event);
    this.#stream = new SteadyStream({ link, path, clock, events: { onOpen, onEvent, onEnd } });
  }

  /** The leader forgets no server that it noted since its last beat. */
  beginRound(): void {
    this.#roundNotes = this.#isOpen ? this.#notes : undefined;
  }

  /** Tells the leader, which has the lists of the servers. If that fails, the next round tells it. */
  endRound(answers: RoundAnswers): void {
    const notes = this.#roundNotes;
    if (notes === undefined || !this.#isOpen) return;
    const body = { room: this.#room, notes, answers: [...answers] };
    this.#link.tell('/api/instances/rooms/rounds', body).catch(() => undefined);
  }

  takeJustFollowed(): readonly ServerId[] {
    const servers = this.#justFollowed;
    this.#justFollowed = [];
    return servers;
  }

  end(): void {
    this.#isOpen = false;
    this.#stream.close();
  }

  #lose(): void {
    this.#isOpen = false;
    // The leader may have dropped the room with the stream. Then it counts from 0 again.
    this.#notes = 0;
    this.#roundNotes = undefined;
    this.#events.onLost();
  }

  #take({ name, id, data }: InstanceEvent): void {
    const { onFollowed, onLost, onMissing, onUpdate, onAwareness, onDropped } = this.#events;
    if (id !== '') this.#notes = Number(id);
    if (name === 'update') onUpdate(Buffer.from(data, 'base64'));
    else if (name === 'awareness') onAwareness(Buffer.from(data, 'base64'));
    else if (name === 'dropped') onDropped();
    else if (name === 'lost') onLost();
    else if (name === 'missing') onMissing();
    else if (name === 'subscribed') {
      const { servers } = parseJson(data) as { servers: ServerId[] };
      this.#justFollowed = servers;
      onFollowed(servers);
    }
  }
}
