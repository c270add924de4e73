import type { Frame } from '../../sse/frames.js';
import type { Viewer } from '../../sse/viewer.js';

/** An instance that has left bytes unread for so long is disconnected. */
const maxPendingMs = 10_000;

/** What a stream to another instance needs. */
export interface InstanceStreamNeeds {
  viewer: Viewer;
  /** Says that the stream works. */
  beat: () => Frame;
  /** Sent to an instance that has missed frames, once it has read the others. */
  resume: () => readonly Frame[];
}

/** A stream to another instance. Frames that would wait for long are dropped, and the instance is told. */
export class InstanceStream {
  readonly #needs: InstanceStreamNeeds;
  #isBehind = false;

  constructor(needs: InstanceStreamNeeds) {
    this.#needs = needs;
    needs.viewer.onDrain(() => this.#catchUp());
  }

  send(frame: Frame): void {
    if (!this.#isBehind && !this.#needs.viewer.send(frame)) this.#isBehind = true;
  }

  /** Called every second. */
  beat(): void {
    this.#catchUp();
    if (this.#isBehind) this.#needs.viewer.heartbeatOrDisconnect(maxPendingMs);
    else this.send(this.#needs.beat());
  }

  end(): void {
    this.#needs.viewer.end('present');
  }

  #catchUp(): void {
    if (!this.#isBehind || this.#needs.viewer.pendingBytes > 0) return;
    this.#isBehind = false;
    for (const frame of this.#needs.resume()) this.send(frame);
  }
}
