import { EventSource } from 'eventsource';

/** A pub-sub server as the service reports it. */
export interface ServerRow {
  id: string;
  state: string;
  lastHeardAtMs?: number;
  rooms?: number;
  connections?: number;
}

/** The current state of the service, as its stream reports it. */
export interface ServiceView {
  isConnected: boolean;
  state: string;
  isComplete: boolean;
  /** Why it is not complete, by the code of the service. */
  reason: string | null;
  rooms: Map<string, number>;
  servers: Map<string, ServerRow>;
}

type Json = Record<string, unknown>;

const reopenAfterMs = 1_000;
const pollIntervalMs = 1_000;
const pollWithinMs = 1_000;

/** Follows a service through its stream and keeps a view of it. The caller must close it. */
export function followService(url: string): { view: ServiceView; close(): void } {
  const view = createView();
  let stream = open();
  let reopening: NodeJS.Timeout | undefined;
  const poll = setInterval(() => pollServers(url, view).catch(() => undefined), pollIntervalMs);
  return {
    view,
    close: () => {
      clearInterval(poll);
      clearTimeout(reopening);
      stream.close();
    },
  };

  /** It reconnects by itself with `Last-Event-ID`, but not after an error status. */
  function open(): EventSource {
    const opened = new EventSource(`${url}/api/events?stream=changes`);
    for (const name of ['snapshot', 'changes', 'servers', 'status']) {
      opened.addEventListener(name, (event) => applyEvent(view, name, event.data));
    }
    opened.addEventListener('open', () => {
      view.isConnected = true;
    });
    opened.addEventListener('error', () => {
      view.isConnected = false;
      if (opened.readyState !== EventSource.CLOSED) return;
      reopening = setTimeout(() => {
        stream = open();
      }, reopenAfterMs);
    });
    return opened;
  }
}

/** The initial view: nothing is known yet. */
export function createView(): ServiceView {
  return {
    isConnected: false,
    state: 'unknown',
    isComplete: false,
    reason: null,
    rooms: new Map(),
    servers: new Map(),
  };
}

/** Applies an event of `GET /api/events?stream=changes` to the view. */
export function applyEvent(view: ServiceView, name: string, data: string): void {
  const event = objectOf(JSON.parse(data));
  if (name === 'snapshot') {
    view.rooms.clear();
    view.servers.clear();
  }
  if (typeof event.state === 'string') view.state = event.state;
  if (typeof event.complete === 'boolean') view.isComplete = event.complete;
  if (event.reason !== undefined) view.reason = event.reason === null ? null : String(event.reason);
  applyRooms(view, event.rooms);
  applyServers(view, listOf(event.servers).map(serverRow));
}

/** Applies an answer of `GET /api/servers`. Ignores servers that the stream has not reported. */
export function applyServerList(view: ServiceView, answer: unknown): void {
  const rows = listOf(answer).map(serverRow);
  applyServers(
    view,
    rows.filter(({ id }) => view.servers.has(id)),
  );
}

/** The stream reports changed states. The counts of each server need a request. */
async function pollServers(url: string, view: ServiceView): Promise<void> {
  const signal = AbortSignal.timeout(pollWithinMs);
  const answer = await fetch(`${url}/api/servers`, { signal });
  if (answer.ok) applyServerList(view, await answer.json());
}

function applyRooms(view: ServiceView, rooms: unknown): void {
  for (const [room, count] of Object.entries(objectOf(rooms))) {
    if (typeof count !== 'number') continue;
    if (count > 0) view.rooms.set(room, count);
    else view.rooms.delete(room);
  }
}

function applyServers(view: ServiceView, rows: readonly ServerRow[]): void {
  for (const row of rows) {
    if (row.state === 'gone') view.servers.delete(row.id);
    else view.servers.set(row.id, { ...view.servers.get(row.id), ...row });
  }
}

function serverRow(value: unknown): ServerRow {
  const { id, state, lastHeardAt, rooms, connections } = objectOf(value);
  const row: ServerRow = { id: String(id), state: String(state) };
  const lastHeardAtMs = timeOf(lastHeardAt);
  if (lastHeardAtMs !== undefined) row.lastHeardAtMs = lastHeardAtMs;
  if (typeof rooms === 'number') row.rooms = rooms;
  if (typeof connections === 'number') row.connections = connections;
  return row;
}

function timeOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : value;
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : undefined;
}

function objectOf(value: unknown): Json {
  return Object(value) as Json;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
