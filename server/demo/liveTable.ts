import Table from 'cli-table3';
import { createDoubts, sumOf, type Truth } from './doubts.js';
import { followService, type ServerRow, type ServiceView } from './serviceFeed.js';

/** Everything that one drawing of the table depends on. */
export type TableModel = {
  /** Of the service, as a browser would open it. */
  url: string;
  nowMs: number;
  view: ServiceView;
  /** The cells of rooms × servers. */
  truth: Truth;
  /** Rooms whose total has been another than the servers' own for too long. */
  doubted: ReadonlySet<string>;
  /** What happened, oldest first. */
  news: readonly string[];
  /** Rooms shown; the rest is counted in one line. */
  maxRooms: number;
};

const maxNameLength = 28;
const style = { head: [], border: [], compact: true };

const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};

/** A room's name for people: decoded, without what could move their cursor, and short. */
export const displayName = (room: string): string => {
  const printable = [...decoded(room).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')];
  if (printable.length === 0) return '(no name)';
  const isLong = printable.length > maxNameLength;
  return isLong ? `${printable.slice(0, maxNameLength - 1).join('')}…` : printable.join('');
};

const ago = (nowMs: number, atMs: number | undefined): string =>
  atMs === undefined ? 'never' : `${(Math.max(0, nowMs - atMs) / 1_000).toFixed(1)} s ago`;

const total = (counts: Iterable<number>): number => {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
};

const roomsTable = ({ view, truth, doubted, maxRooms }: TableModel): string => {
  const ids = [...truth.keys()].sort();
  const all = new Map([...[...doubted].map((room) => [room, 0] as const), ...view.rooms]);
  const sorted = [...all].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = sorted.slice(0, maxRooms);
  const hidden = sorted.slice(maxRooms);
  const table = new Table({
    head: ['room', ...ids.map((id) => id.replace(/^.*(?=:)/, '')), 'service says'],
    colAligns: ['left', ...ids.map(() => 'right' as const), 'right'],
    style,
  });
  for (const [room, count] of shown) {
    const cells = ids.map((id) => truth.get(id)?.[room] ?? (truth.get(id) ? '' : '?'));
    const doubt = doubted.has(room) ? `≠ ${sumOf(truth, room)}!  ` : '';
    table.push([displayName(room), ...cells, `${doubt}${count}`]);
  }
  if (hidden.length > 0) {
    const rest = total(hidden.map(([, count]) => count));
    table.push([`and ${hidden.length} more`, ...ids.map(() => ''), `${rest}`]);
  }
  const sums = ids.map((id) => {
    const rooms = truth.get(id);
    return rooms ? total(Object.values(rooms)) : '?';
  });
  table.push(['all rooms', ...sums, `${total(view.rooms.values())}`]);
  return table.toString();
};

const serversTable = (servers: readonly ServerRow[], nowMs: number): string => {
  const table = new Table({
    head: ['pub-sub server', 'state', 'rooms', 'connections', 'last heard'],
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    style,
  });
  for (const { id, state, rooms, connections, lastHeardAtMs } of servers) {
    table.push([
      displayName(id),
      displayName(state),
      rooms ?? '',
      connections ?? '',
      ago(nowMs, lastHeardAtMs),
    ]);
  }
  return table.toString();
};

/** Draws the table; depends on nothing but its model. */
export const renderTable = (model: TableModel): string => {
  const { url, view, nowMs, doubted, news } = model;
  const servers = [...view.servers.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const state = view.isConnected ? displayName(view.state) : 'the service is not connected';
  const completeness = view.isComplete ? 'complete' : 'not complete';
  const connections = total(view.rooms.values());
  return [
    `${url}   ${state}, ${completeness}: ${connections} connections in ${view.rooms.size} rooms`,
    `open ${url} in a browser, or read the stream: curl -N ${url}/api/events   Ctrl-C ends everything`,
    roomsTable(model),
    serversTable(servers, nowMs),
    ...(doubted.size > 0
      ? [`≠ n!  the servers themselves report n: ${doubted.size} rooms differ`]
      : []),
    ...news,
  ].join('\n');
};

const doubtAfterMs = 3_000;
const maxNews = 5;

// Redraws in place: each line is cleared to its end, and the screen below the last one.
const redraw = (text: string): string => `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[K\n\x1b[J`;

/** Where the table is drawn. */
export type Screen = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean; rows?: number };

/** A live table of a service; whoever started it stops it. */
export type LiveTable = {
  /** Shows a line of news below the table. */
  say(line: string): void;
  /** The rooms that are doubted now. */
  doubted(): ReadonlySet<string>;
  stop(): void;
};

/** Draws a service's own stream live, beside what the pub-sub servers themselves report. */
export const startLiveTable = ({
  url,
  truth,
  screen = process.stdout,
  everyMs = screen.isTTY ? 250 : 3_000,
}: {
  url: string;
  /** Asked before each drawing; to be answered soon, or with undefined for a server that is not. */
  truth: () => Promise<Truth>;
  screen?: Screen;
  everyMs?: number;
}): LiveTable => {
  const { view, close } = followService(url);
  const findDoubts = createDoubts({ afterMs: doubtAfterMs });
  const news: string[] = [];
  let doubted: ReadonlySet<string> = new Set();
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  const draw = async () => {
    const asked = await truth();
    if (isStopped) return;
    const nowMs = Date.now();
    doubted = findDoubts(view, asked, nowMs);
    const maxRooms = screen.isTTY ? Math.max(3, (screen.rows ?? 40) - view.servers.size - 18) : 10;
    const text = renderTable({ url, nowMs, view, truth: asked, doubted, news, maxRooms });
    screen.write(screen.isTTY ? redraw(text) : `${text}\n\n`);
    timer = setTimeout(draw, everyMs);
  };

  if (screen.isTTY) screen.write('\x1b[2J\x1b[?25l');
  void draw();
  return {
    say: (line) => {
      news.push(line);
      news.splice(0, news.length - maxNews);
    },
    doubted: () => doubted,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      close();
      if (screen.isTTY) screen.write('\x1b[?25h\n');
    },
  };
};
