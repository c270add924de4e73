import type { Frame } from '../../server/sse/frames.js';
import type { Viewer } from '../../server/sse/viewer.js';

/** A viewer without a connection: a test says when its bytes wait and when they have gone out. */
export class FakeViewer {
  readonly frames: string[] = [];
  /** Whether it still takes frames. */
  isReading = true;
  isEnded = false;
  beats = 0;
  /** Ends its connection. */
  leave: () => void = () => {};
  pendingBytes = 0;
  #onDrain: () => void = () => {};

  /** As the parts under test take it. */
  get viewer(): Viewer {
    return this as unknown as Viewer;
  }

  /** The data of the frames since the last call, with the name of the event. */
  take(): [event: string | undefined, data: unknown][] {
    return this.frames.splice(0).map((frame) => {
      const [, event] = /^event: (.*)$/m.exec(frame) ?? [];
      const [, data = 'null'] = /^data: (.*)$/m.exec(frame) ?? [];
      return [event, JSON.parse(data)];
    });
  }

  send(frame: Frame): boolean {
    if (!this.isReading) {
      this.pendingBytes += 1;
      return false;
    }
    this.frames.push(String(Array.isArray(frame) ? Buffer.concat(frame) : frame));
    return true;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** Its waiting bytes have gone out; not every connection says so. */
  drain({ isSilent = false } = {}): void {
    this.isReading = true;
    this.pendingBytes = 0;
    if (!isSilent) this.#onDrain();
  }

  onGone(callback: () => void): void {
    this.leave = callback;
  }

  heartbeatOrDisconnect(): void {
    this.beats += 1;
  }

  end(): void {
    this.isEnded = true;
  }
}
