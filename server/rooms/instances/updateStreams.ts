import type { RoomName } from '../../../machines/ports.js';
import { asBuffer, messageFrame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';
import type { UpdatesSource } from '../watching/updatesSource.js';
import { InstanceStream } from './instanceStream.js';
import { InstanceStreams } from './instanceStreams.js';

const maxStreams = 64;
const beatFrame = messageFrame('{}', { event: 'beat' });
/** Updates were dropped, because the instance did not read them fast enough. */
const lostFrame = messageFrame('{}', { event: 'lost' });

/**
 * The updates of all documents for other instances, from the leader. All of an instance's viewers share one
 * stream, and are one viewer here.
 */
export class UpdateStreams {
  readonly #source: UpdatesSource;
  readonly #streams = new InstanceStreams();
  #leave: (() => void) | undefined;

  constructor(source: UpdatesSource) {
    this.#source = source;
  }

  get isFull(): boolean {
    return this.#streams.size >= maxStreams;
  }

  add(viewer: Viewer): void {
    const resume = () => [lostFrame];
    const stream = new InstanceStream({ viewer, beat: () => beatFrame, resume });
    this.#streams.add(stream);
    stream.send(beatFrame);
    this.#leave ??= this.#follow();
    viewer.onGone(() => {
      this.#streams.remove(stream);
      if (this.#streams.size === 0) this.#stop();
    });
  }

  close(): void {
    this.#streams.close();
    this.#stop();
  }

  #follow(): () => void {
    return this.#source.follow({
      onAsked: () => {},
      onLost: () => {},
      onUpdate: (room, update) => {
        const frame = updateFrame(room, update);
        for (const stream of this.#streams) stream.send(frame);
      },
    });
  }

  #stop(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}

function updateFrame(room: RoomName, update: Uint8Array): Buffer {
  const data = { room, update: asBuffer(update).toString('base64') };
  return messageFrame(JSON.stringify(data), { event: 'update' });
}
