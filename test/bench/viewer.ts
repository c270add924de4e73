import { connect } from 'node:net';

const sharedBuffer = Buffer.allocUnsafe(256 * 1024);

/** A viewer that counts the bytes of its connection, as cheaply as that can be done. */
export class Viewer {
  bytes = 0;
  isEnded = false;
  readonly #url: URL;

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Resolves with its first bytes, or its end. */
  open(): Promise<void> {
    const { hostname, port, host, pathname, search } = this.#url;
    return new Promise((resolve) => {
      const callback = (length: number) => {
        this.bytes += length;
        resolve();
        return true;
      };
      // All read into the same buffer: nobody looks at what is in it.
      const onread = { buffer: sharedBuffer, callback };
      const socket = connect({ host: hostname, port: Number(port), onread });
      const path = `${pathname}${search}`;
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.isEnded = true;
        resolve();
      });
    });
  }
}
