import { EventSource } from 'eventsource';

/** A pub-sub server as the service shows it. */
export type ServerRow = {
  id: string;
  state: string;
  lastHeardAtMs?: number;
  rooms?: number;
  connections?: number;
};

/** What the service shows at this moment; filled by the feed alone. */
export type ServiceView = {
  isConnected: boolean;
  state: string;
  isComplete: boolean;
  rooms: Map<string, number>;
  servers: Map<string, ServerRow>;
};

type Json = Record<string, unknown>;

const objectOf = (value: unknown): Json => Object(value) as Json;
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

const timeOf = (value: unknown): number | undefined => {
  const ms = typeof value === 'string' ? Date.parse(value) : value;
  return typeof ms === 'number' && Number.isFinite(ms) ? ms : undefined;
};

const serverRow = (value: unknown): ServerRow => {
  const { id, state, lastHeardAt, rooms, connections } = objectOf(value);
  const row: ServerRow = { id: String(id), state: String(state) };
  const lastHeardAtMs = timeOf(lastHeardAt);
  if (lastHeardAtMs !== undefined) row.lastHeardAtMs = lastHeardAtMs;
  if (typeof rooms === 'number') row.rooms = rooms;
  if (typeof connections === 'number') row.connections = connections;
  return row;
};

const applyServers = (view: ServiceView, rows: readonly ServerRow[]) => {
  for (const row of rows) {
    if (row.state === 'gone') view.servers.delete(row.id);
    else view.servers.set(row.id, { ...view.servers.get(row.id), ...row });
  }
};

const applyRooms = (view: ServiceView, rooms: unknown) => {
  for (const [room, count] of Object.entries(objectOf(rooms))) {
    if (typeof count !== 'number') continue;
    if (count > 0) view.rooms.set(room, count);
    else view.rooms.delete(room);
  }
};

/** Applies one named event of `GET /api/events?stream=changes` to the view. */
export const applyEvent = (view: ServiceView, name: string, data: string): void => {
  const event = objectOf(JSON.parse(data));
  if (name === 'snapshot') {
    view.rooms.clear();
    view.servers.clear();
  }
  if (typeof event.state === 'string') view.state = event.state;
  if (typeof event.complete === 'boolean') view.isComplete = event.complete;
  applyRooms(view, event.rooms);
  applyServers(view, listOf(event.servers).map(serverRow));
};

/** Makes the view of a service that nothing is known of yet. */
export const createView = (): ServiceView => ({
  isConnected: false,
  state: 'unknown',
  isComplete: false,
  rooms: new Map(),
  servers: new Map(),
});

const pollIntervalMs = 1_000;
const pollWithinMs = 1_000;

/** Applies an answer of `GET /api/servers`; only the stream says which servers there are. */
export const applyServerList = (view: ServiceView, answer: unknown): void => {
  const rows = listOf(answer).map(serverRow);
  applyServers(
    view,
    rows.filter(({ id }) => view.servers.has(id)),
  );
};

// The stream tells of changed states; the numbers of each server are asked for.
const pollServers = async (url: string, view: ServiceView) => {
  const signal = AbortSignal.timeout(pollWithinMs);
  const answer = await fetch(`${url}/api/servers`, { signal });
  if (answer.ok) applyServerList(view, await answer.json());
};

/** Follows a service over its own stream and keeps a view of it; whoever follows it closes it. */
export const followService = (url: string): { view: ServiceView; close(): void } => {
  const view = createView();
  const stream = new EventSource(`${url}/api/events?stream=changes`);
  for (const name of ['snapshot', 'changes', 'servers']) {
    stream.addEventListener(name, (event) => applyEvent(view, name, event.data));
  }
  stream.addEventListener('open', () => {
    view.isConnected = true;
  });
  stream.addEventListener('error', () => {
    view.isConnected = false;
  });
  const poll = setInterval(() => pollServers(url, view).catch(() => undefined), pollIntervalMs);
  return {
    view,
    close: () => {
      clearInterval(poll);
      stream.close();
    },
  };
};
