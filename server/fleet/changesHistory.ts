import { Ring } from './ring.js';

/** A version of the fleet and its event id. There is one object for each version, so `===` compares versions. */
export interface Position {
  readonly version: number;
  readonly id: string;
}

/** Versions and event ids of the changes stream, and its newest frames for viewers that reconnect. */
export class ChangesHistory {
  readonly #run: string;
  readonly #ring = new Ring();
  #activation = 1;
  #version = 0;
  #position: Position | undefined;

  /** `run`: random for each process, so event ids of an earlier process are unknown. */
  constructor(run: string) {
    this.#run = run;
  }

  get version(): number {
    return this.#version;
  }

  /** The current version, and its event id. */
  get position(): Position {
    this.#position ??= { version: this.#version, id: this.idOf(this.#version) };
    return this.#position;
  }

  /** Event id of a version: `<run>.<activation>-<version>`. */
  idOf(version: number): string {
    return `${this.#idPrefix}${version}`;
  }

  /** Starts the next version. */
  advance(): void {
    this.#version += 1;
    this.#position = undefined;
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
    this.#position = undefined;
  }

  /** Starts a version that is a snapshot. Drops all frames: viewers cannot resume across a snapshot. */
  advanceToSnapshot(): void {
    this.advance();
    this.#ring.clear(this.#version + 1);
  }

  get #idPrefix(): string {
    return `${this.#run}.${this.#activation}-`;
  }
}
