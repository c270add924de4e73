/** Connections to a service by hand, for what no HTTP client would do. */

import { connect, type Socket } from 'node:net';
import { visits } from '../../../support/stage.js';

/** A TCP connection, and all that came by it. */
export interface Dialled {
  readonly socket: Socket;
  /** Everything received so far, as Latin-1: a character for a byte. */
  text(): string;
  isClosed(): boolean;
}

/** The request of a viewer. */
export function viewerRequest(path = '/api/events', headers: Record<string, string> = {}): string {
  const all = Object.entries({ Host: 'localhost', ...headers });
  const fields = all.map(([name, value]) => `${name}: ${value}`);
  return [`GET ${path} HTTP/1.1`, ...fields, '', ''].join('\r\n');
}

/** Connects, and leaves without a word at the end of the test. */
export function dial({ url }: { url: string }): Dialled {
  const { hostname, port } = new URL(url);
  const socket = visits(connect(Number(port), hostname), (it) => it.destroy());
  // Being refused and reset is what some tests want.
  socket.on('error', () => {});
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  return { socket, text: () => text, isClosed: () => socket.closed };
}
