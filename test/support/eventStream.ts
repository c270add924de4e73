import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** An open event stream, as a program reads it. */
export interface EventStream {
  status: number;
  headers: Headers;
  /** All messages so far, in order. */
  messages: EventSourceMessage[];
  /** The newest whole map of the default stream, or the rooms put together from `?stream=changes`. */
  rooms(): Record<string, number>;
  /** The newest `state`, `complete` and servers of `?stream=changes`. */
  seen(): {
    state?: string;
    complete?: boolean;
    reason?: string | null;
    servers: Record<string, { state: string }>;
  };
  /** Whether the service ended the stream. */
  isEnded(): boolean;
  /** Resolves when the service ended the stream. */
  ended: Promise<void>;
  /** Leaves, and waits until the connection is closed here. */
  close(): Promise<void>;
}

/** Opens `GET /api/events` (or another path) and reads it until it is closed. */
export async function openEventStream(
  url: string,
  { path = '/api/events', headers = {} }: { path?: string; headers?: Record<string, string> } = {},
): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(`${url}${path}`, { signal: abort.signal, headers });
  const messages: EventSourceMessage[] = [];
  const rooms = new Map<string, number>();
  const seen: ReturnType<EventStream['seen']> = { servers: {} };
  let isEnded = false;
  const parser = createParser({
    onEvent(message) {
      messages.push(message);
      const data = JSON.parse(message.data);
      if (message.event === undefined || message.event === 'snapshot') rooms.clear();
      if (message.event === 'snapshot') seen.servers = {};
      if (data.state !== undefined && message.event) seen.state = data.state;
      if (data.complete !== undefined && message.event) seen.complete = data.complete;
      if (data.reason !== undefined && message.event) seen.reason = data.reason;
      if (message.event) for (const server of data.servers ?? []) note(server);
      const counts = message.event === undefined ? data : (data.rooms ?? {});
      for (const room of Object.keys(counts)) {
        if (counts[room] === 0) rooms.delete(room);
        else rooms.set(room, counts[room]);
      }
    },
  });
  const note = (server: { id: string; state: string }) => {
    if (server.state === 'gone') delete seen.servers[server.id];
    else seen.servers[server.id] = server;
  };
  const ended = read().catch(() => {});
  async function read() {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }));
    }
    isEnded = true;
  }
  return {
    status: response.status,
    headers: response.headers,
    messages,
    rooms: () => {
      const object = Object.create(null) as Record<string, number>;
      for (const [room, count] of rooms) object[room] = count;
      return { ...object };
    },
    seen: () => seen,
    isEnded: () => isEnded,
    ended,
    close: async () => {
      abort.abort();
      await ended;
    },
  };
}
