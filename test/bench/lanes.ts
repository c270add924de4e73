import { connect, type Socket } from 'node:net';

interface Waiting {
  resolve: (status: number) => void;
  reject: (error: Error) => void;
}

/** One kept connection, for one post at a time. */
export class Lane {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;
  #text = '';

  constructor(hostname: string, port: number) {
    this.#socket = connect(port, hostname).setNoDelay();
    this.#socket.on('data', (chunk) => this.#take(String(chunk)));
    this.#socket.on('close', () => this.#waiting?.reject(new Error('a connection was closed')));
    this.#socket.on('error', () => {});
  }

  /** Resolves with the status of the answer; rejects when the connection is closed. */
  post(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('a connection was closed'));
      this.#waiting = { resolve, reject };
      this.#socket.write(text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    // Answers of 204 have no body; every other is a failure of the run.
    if (!this.#text.includes('\r\n\r\n')) return;
    const status = Number(this.#text.slice(9, 12));
    this.#text = '';
    this.#waiting?.resolve(status);
    this.#waiting = undefined;
  }
}

/** Lanes that are free, and those who wait for one. */
export class Lanes {
  readonly #free: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  constructor(lanes: readonly Lane[]) {
    this.#free = [...lanes];
  }

  /** The one that has been free for longest. */
  take(): Promise<Lane> {
    const lane = this.#free.shift();
    if (lane) return Promise.resolve(lane);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  giveBack(lane: Lane): void {
    const next = this.#waiting.shift();
    if (next) next(lane);
    else this.#free.push(lane);
  }
}
