import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as Y from 'yjs';
import { owns } from '../../../support/stage.js';

/** A pub-sub server with documents. The test edits them and controls its answers. */
export interface DocServer {
  readonly id: string;
  readonly port: number;
  /** The document of a room; in memory from the first call on. */
  doc(room: string): Y.Doc;
  forget(room: string): void;
  /** The answer in place of the state of the document. */
  readonly states: Map<string, Uint8Array>;
  /** Questions for the state of a room, by room. */
  readonly asked: Map<string, number>;
  /** Posts that a connection to a room was opened. */
  announce(room: string): Promise<void>;
  /** From now on states are answered when `open` is called. */
  shut(): void;
  open(): void;
}

/** Starts one for the time of a test. */
export async function startDocServer(): Promise<DocServer> {
  const docs = new Map<string, Y.Doc>();
  const states = new Map<string, Uint8Array>();
  const asked = new Map<string, number>();
  let gate = Promise.resolve();
  let eventsUrl = '';
  let open = () => {};
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url = '' } = request;
    const [, room] = /^\/api\/room\?id=(.*)$/.exec(url) ?? [];
    if (method === 'PUT') {
      const isActive = JSON.parse(body).active === true;
      eventsUrl = JSON.parse(body).eventsUrl;
      response.writeHead(200, { 'Content-Type': isActive ? 'application/json' : 'text/plain' });
      response.end(isActive ? '[]' : 'okay');
    } else if (room === undefined) response.end('okay');
    else {
      asked.set(room, (asked.get(room) ?? 0) + 1);
      const doc = docs.get(room);
      const state = states.get(room) ?? (doc && Y.encodeStateAsUpdate(doc));
      await gate;
      response.writeHead(state ? 200 : 401, { 'Content-Type': 'application/octet-stream' });
      response.end(state);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const started: DocServer = {
    id: `127.0.0.1:${port}`,
    port,
    states,
    asked,
    doc: (room) => {
      const known = docs.get(room) ?? new Y.Doc();
      docs.set(room, known);
      return known;
    },
    announce: async (room) => {
      const posted = await fetch(eventsUrl, {
        method: 'POST',
        body: JSON.stringify({ room, add: 1 }),
      });
      if (posted.status !== 204) throw new Error(`a delta was answered ${posted.status}`);
    },
    forget: (room) => void docs.delete(room),
    shut: () => {
      gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    open: () => {
      open();
      gate = Promise.resolve();
    },
  };
  return owns(started, () => {
    open();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
}
