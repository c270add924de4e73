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
  /** How often it was told to post deltas or to stop, and what it was told last. */
  instructions: number;
  wantsActivity: boolean;
  /** Its connections, as it answers them; none by default. */
  snapshot: Record<string, number>[];
  wantsUpdates: boolean;
  eventsUrl: string;
  /** The lists of watched rooms that it was sent, in order. */
  readonly lists: string[][];
  /** The URL of the last list. */
  contentUrl: string;
  /** The answer to lists from now on; 200 by default. Others have no effect. */
  listStatus: number;
  /** Whether the updates of watched rooms are posted, as they should be. */
  isPosting: boolean;
  /** Posts about watched rooms. Resolves with the status of the answer. */
  postContent(body: unknown): Promise<number>;
  /** It is another process from now on, without documents. It has not told anybody. */
  restart(): void;
  /** The start-up query of a server that has restarted. */
  askAtStartup(service: { url: string }): Promise<void>;
  /** From now on states are answered when `open` is called. */
  shut(): void;
  open(): void;
}

/** Starts one for the time of a test. With `capabilities` it has an agent, which tells its name. */
export async function startDocServer({
  capabilities,
  name,
}: {
  capabilities?: readonly string[];
  name?: string;
} = {}): Promise<DocServer> {
  let run = 1;
  let watched: readonly string[] = [];
  const docs = new Map<string, Y.Doc>();
  const states = new Map<string, Uint8Array>();
  const asked = new Map<string, number>();
  let gate = Promise.resolve();
  let open = () => {};
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method, url = '' } = request;
    const [, raw] = /^\/api\/room\?id=(.*)$/.exec(url) ?? [];
    const [, encoded] = /^\/api\/room\?name=(.*)$/.exec(url) ?? [];
    const room = encoded === undefined ? raw : decodeURIComponent(encoded);
    if (capabilities)
      response.setHeader('Dashboard-Agent', JSON.stringify({ capabilities, name, run: `${run}` }));
    if (url === '/api/dashboard/rooms') {
      const list = JSON.parse(body);
      started.lists.push(list.rooms);
      if (started.listStatus === 200) [watched, started.contentUrl] = [list.rooms, list.eventsUrl];
      response.writeHead(started.listStatus, { 'Content-Type': 'text/plain' }).end('okay');
    } else if (method === 'PUT') {
      const instruction = JSON.parse(body);
      const isActive = instruction.active === true;
      started.instructions += 1;
      started.wantsActivity = isActive;
      started.wantsUpdates = instruction.updates === true;
      started.eventsUrl = instruction.eventsUrl;
      response.writeHead(200, { 'Content-Type': isActive ? 'application/json' : 'text/plain' });
      response.end(isActive ? JSON.stringify(started.snapshot) : 'okay');
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
    instructions: 0,
    wantsActivity: false,
    snapshot: [],
    wantsUpdates: false,
    eventsUrl: '',
    lists: [],
    contentUrl: '',
    listStatus: 200,
    isPosting: true,
    doc: (room) => {
      const known = docs.get(room);
      if (known) return known;
      const doc = new Y.Doc();
      docs.set(room, doc);
      doc.on('update', (update: Uint8Array) => {
        if (docs.get(room) !== doc || !watched.includes(room) || !started.isPosting) return;
        void started.postContent({ room, update: Buffer.from(update).toString('base64') });
      });
      return doc;
    },
    postContent: async (content) => {
      const { status } = await fetch(started.contentUrl, {
        method: 'POST',
        body: JSON.stringify(content),
        headers: { 'Content-Type': 'application/json' },
      });
      return status;
    },
    restart: () => {
      run += 1;
      watched = [];
      docs.clear();
    },
    askAtStartup: async (service) => {
      const query = `port=${port}&run=${run}&capabilities=${capabilities?.join()}`;
      await fetch(`${service.url}/api/events/clients?${query}`);
    },
    announce: async (room) => {
      const posted = await fetch(started.eventsUrl, {
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
