import type { RoomName, ServerId } from '../../../machines/ports.js';
import type { RoundAnswers } from '../../pubsub/postedRoom.js';
import type { RoomPosts } from '../../pubsub/roomPosts.js';
import type { Frame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';
import type { RoomChannels } from '../watching/roomChannels.js';
import { InstanceStream } from './instanceStream.js';
import { InstanceStreams } from './instanceStreams.js';
import { postFrames } from './postEvents.js';

/** What passing on posts to other instances needs. */
export interface PostStreamsNeeds {
  channels: RoomChannels;
  posts: Pick<RoomPosts, 'get'>;
}

/** Most rooms that all other instances may follow here. */
const maxStreams = 2000;

/** Rooms that other instances follow. Servers post to this one, the leader, which passes the posts on. */
export class PostStreams {
  readonly #needs: PostStreamsNeeds;
  readonly #streams = new InstanceStreams();

  constructor(needs: PostStreamsNeeds) {
    this.#needs = needs;
  }

  get isFull(): boolean {
    return this.#streams.size >= maxStreams;
  }

  /** Follows a room for another instance until that is gone. */
  add(viewer: Viewer, room: RoomName): void {
    const notes = () => this.#needs.posts.get(room)?.notes ?? 0;
    let standing: 'lost' | 'missing' | readonly ServerId[] | undefined;
    const stateFrame = (): Frame | undefined => {
      if (standing === undefined) return undefined;
      return typeof standing === 'string'
        ? postFrames[standing]
        : postFrames.subscribed(standing, notes());
    };
    const stream = new InstanceStream({
      viewer,
      beat: () => postFrames.beat(notes()),
      resume: () => [postFrames.lost, stateFrame() ?? []].flat(),
    });
    const note = (now: typeof standing) => {
      standing = now;
      const frame = stateFrame();
      if (frame) stream.send(frame);
    };
    const followed = this.#needs.channels.follow(room, {
      onFollowed: (servers) => note(servers),
      onLost: () => note('lost'),
      onMissing: () => note('missing'),
      onUpdate: (update) => stream.send(postFrames.update(update)),
      onAwareness: (update) => stream.send(postFrames.awareness(update)),
      onDropped: () => stream.send(postFrames.dropped),
    });
    this.#streams.add(stream);
    viewer.onGone(() => {
      this.#streams.remove(stream);
      followed.end();
    });
  }

  /** A round of another instance has ended, which began when `PostedRoom.notes` had this value. */
  endRound(room: RoomName, answers: RoundAnswers, notes: number): void {
    this.#needs.posts.get(room)?.endRound(answers, notes);
  }

  close(): void {
    this.#streams.close();
  }
}
