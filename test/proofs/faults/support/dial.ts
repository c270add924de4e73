/** TCP connections to a service, for bytes that no HTTP client sends. */

import { connect, type Socket } from 'node:net';
import { visits } from '../../../support/stage.js';

/** A TCP connection, and what it received. */
export interface Dialled {
  readonly socket: Socket;
  /** Everything received so far, as Latin-1: one character per byte. */
  text(): string;
  isClosed(): boolean;
}

/** The request of a viewer. */
export function viewerRequest(path = '/api/events', headers: Record<string, string> = {}): string {
  const all = Object.entries({ Host: 'localhost', ...headers });
  const fields = all.map(([name, value]) => `${name}: ${value}`);
  return [`GET ${path} HTTP/1.1`, ...fields, '', ''].join('\r\n');
}

/** Connects. The connection is destroyed when the test is over. */
export function dial({ url }: { url: string }): Dialled {
  const { hostname, port } = new URL(url);
  const socket = visits(connect(Number(port), hostname), (it) => it.destroy());
  // Some tests want the connection to be refused or reset.
  socket.on('error', () => {});
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  return { socket, text: () => text, isClosed: () => socket.closed };
}
