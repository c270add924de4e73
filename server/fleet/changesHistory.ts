import { Ring } from './ring.js';

/** Versions and event ids of the changes stream, and its newest frames for viewers that reconnect. */
export class ChangesHistory {
  readonly #run: string;
  readonly #ring = new Ring();
  #activation = 1;
  #version = 0;

  /** `run`: random for each process, so event ids of an earlier process are unknown. */
  constructor(run: string) {
    this.#run = run;
  }

  get version(): number {
    return this.#version;
  }

  /** Event id of a version: `<run>.<activation>-<version>`. */
  idOf(version: number): string {
    return `${this.#idPrefix}${version}`;
  }

  /** Starts the next version. */
  advance(): void {
    this.#version += 1;
  }

  /** Keeps the frame of the current version. */
  push(frame: Buffer): void {
    this.#ring.push(frame);
  }

  /** The frames after an event id; undefined: they are not kept, or the id is unknown. */
  since(eventId: string | undefined): Buffer[] | undefined {
    if (!eventId?.startsWith(this.#idPrefix)) return undefined;
    const version = eventId.slice(this.#idPrefix.length);
    return /^\d+$/.test(version) ? this.#ring.since(Number(version)) : undefined;
  }

  /** Starts the next activation: event ids of the current one become unknown. */
  startActivation(): void {
    this.#activation += 1;
  }

  /** Starts a version that is a snapshot. Drops all frames: viewers cannot resume across a snapshot. */
  advanceToSnapshot(): void {
    this.#version += 1;
    this.#ring.clear(this.#version + 1);
  }

  get #idPrefix(): string {
    return `${this.#run}.${this.#activation}-`;
  }
}
