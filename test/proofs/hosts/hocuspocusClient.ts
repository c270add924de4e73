import { createDecoder, readVarString, readVarUint } from 'lib0/decoding';
import {
  createEncoder,
  type Encoder,
  toUint8Array,
  writeVarString,
  writeVarUint,
  writeVarUint8Array,
} from 'lib0/encoding';
import WebSocket from 'ws';

const message = { sync: 0, auth: 2, close: 7 };
const sync = { step1: 0, update: 2 };
const denied = 1;
const emptyStateVector = Uint8Array.of(0);

/** How the attempt to join a document ended. */
export type Joined = 'joined' | 'refused' | 'left';

/** A bare client of Hocuspocus: one socket, and documents on it. It can do what no provider does. */
export class HocuspocusClient {
  readonly #socket: WebSocket;
  readonly #joining = new Map<string, (how: Joined) => void>();
  /** Addresses that it was refused at, or has left: Hocuspocus does not take all of them again. */
  readonly used = new Set<string>();
  readonly joined = new Set<string>();
  readonly closed: Promise<void>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => {
      this.joined.clear();
      for (const address of [...this.#joining.keys()]) this.#settle(address, 'left');
    });
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => this.#received(data));
  }

  static async open(port: number): Promise<HocuspocusClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    const client = new HocuspocusClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    return client;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** `address`: the name of a document; for version 4 with a session, `name\0session`. Never rejects. */
  join(address: string, token = 'ok'): Promise<Joined> {
    if (!this.isOpen) return Promise.resolve('left');
    this.used.add(address);
    const settled = new Promise<Joined>((resolve) => this.#joining.set(address, resolve));
    this.#send(address, message.auth, (encoder) => {
      writeVarUint(encoder, 0);
      writeVarString(encoder, token);
    });
    // Answered once the connection to the document is there.
    this.#send(address, message.sync, (encoder) => {
      writeVarUint(encoder, sync.step1);
      writeVarUint8Array(encoder, emptyStateVector);
    });
    return settled;
  }

  leave(address: string): void {
    this.joined.delete(address);
    this.#send(address, message.close, (encoder) => writeVarUint(encoder, 0));
  }

  update(address: string, update: Uint8Array): void {
    this.#send(address, message.sync, (encoder) => {
      writeVarUint(encoder, sync.update);
      writeVarUint8Array(encoder, update);
    });
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  async terminate(): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }

  #send(address: string, type: number, write: (encoder: Encoder) => void): void {
    if (!this.isOpen) return;
    const encoder = createEncoder();
    writeVarString(encoder, address);
    writeVarUint(encoder, type);
    write(encoder);
    this.#socket.send(toUint8Array(encoder));
  }

  #received(data: Buffer): void {
    const decoder = createDecoder(data);
    const address = readVarString(decoder);
    const type = readVarUint(decoder);
    if (type === message.sync) this.#settle(address, 'joined');
    if (type === message.close) this.#settle(address, 'left');
    if (type === message.auth && readVarUint(decoder) === denied) this.#settle(address, 'refused');
  }

  #settle(address: string, how: Joined): void {
    if (how === 'joined') this.joined.add(address);
    else this.joined.delete(address);
    this.#joining.get(address)?.(how);
    this.#joining.delete(address);
  }
}
