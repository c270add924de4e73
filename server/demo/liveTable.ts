import Table from 'cli-table3';
import { Doubts, isBetweenLeaders, sumOf, type Truth } from './doubts.js';
import { followService, type ServerRow, type ServiceView } from './serviceFeed.js';

/** Everything that the table shows. */
export interface TableModel {
  /** The address of the service, for a browser. */
  url: string;
  nowMs: number;
  view: ServiceView;
  /** The cells of rooms × servers. */
  truth: Truth;
  /** Rooms whose total has differed from the servers' own for too long. */
  doubted: ReadonlySet<string>;
  /** Events, oldest first. */
  news: readonly string[];
  /** What people call a server. Default: nothing. */
  nameOf?: (id: string) => string;
  /** A line about the instances. Default: none. */
  status?: string | undefined;
  /** Maximum number of rooms. One line sums up the others. */
  maxRooms: number;
}

/** The screen that the table is drawn on. */
export type Screen = Pick<NodeJS.WriteStream, 'write'> & { isTTY?: boolean; rows?: number };

/** The settings of a live table. */
export interface LiveTableOptions {
  url: string;
  /** Called before each drawing. It must resolve soon, with undefined for servers that do not answer. */
  truth: () => Promise<Truth>;
  nameOf?: (id: string) => string;
  /** A line about the instances, for each drawing. Default: none. */
  status?: (() => string) | undefined;
  screen?: Screen;
  everyMs?: number;
}

const doubtAfterMs = 3_000;
const maxNews = 5;
const maxNameLength = 28;
const style = { head: [], border: [], compact: true };
const clearScreenHideCursor = '\x1b[2J\x1b[?25l';
const showCursor = '\x1b[?25h\n';

/** Draws what the service reports beside what the pub-sub servers report. The caller must stop it. */
export class LiveTable {
  readonly #url: string;
  readonly #truth: () => Promise<Truth>;
  readonly #nameOf: (id: string) => string;
  readonly #status: (() => string) | undefined;
  readonly #screen: Screen;
  readonly #everyMs: number;
  readonly #service: ReturnType<typeof followService>;
  readonly #doubts = new Doubts({ afterMs: doubtAfterMs });
  readonly #news: string[] = [];
  #doubted: ReadonlySet<string> = new Set();
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LiveTableOptions) {
    const { url, truth, nameOf = () => '', status, screen = process.stdout, everyMs } = options;
    this.#url = url;
    this.#truth = truth;
    this.#nameOf = nameOf;
    this.#status = status;
    this.#screen = screen;
    this.#everyMs = everyMs ?? (screen.isTTY ? 250 : 3_000);
    this.#service = followService(url);
    if (screen.isTTY) screen.write(clearScreenHideCursor);
    void this.#draw();
  }

  /** The rooms that currently differ. */
  get doubted(): ReadonlySet<string> {
    return this.#doubted;
  }

  /** Shows a line below the table. */
  say(line: string): void {
    this.#news.push(line);
    this.#news.splice(0, this.#news.length - maxNews);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#service.close();
    if (this.#screen.isTTY) this.#screen.write(showCursor);
  }

  async #draw(): Promise<void> {
    const truth = await this.#truth();
    if (this.#isStopped) return;
    const { view } = this.#service;
    const nowMs = Date.now();
    this.#doubted = this.#doubts.compare(view, truth, nowMs);
    const text = renderTable({
      url: this.#url,
      nowMs,
      view,
      truth,
      doubted: this.#doubted,
      news: this.#news,
      nameOf: this.#nameOf,
      status: this.#status?.(),
      maxRooms: this.#maxRooms(),
    });
    this.#screen.write(this.#screen.isTTY ? redraw(text) : `${text}\n\n`);
    this.#timer = setTimeout(() => this.#draw(), this.#everyMs);
  }

  #maxRooms(): number {
    const { isTTY, rows = 40 } = this.#screen;
    return isTTY ? Math.max(3, rows - this.#service.view.servers.size - 18) : 10;
  }
}

/** Redraws in place. Clears each line to its end, and the screen below the last line. */
function redraw(text: string): string {
  return `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[K\n\x1b[J`;
}

/** Renders the table as text. */
export function renderTable(model: TableModel): string {
  const { url, view, doubted, news, status } = model;
  const servers = [...view.servers.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const state = view.isConnected ? displayName(view.state) : 'not connected to the service';
  const age = isBetweenLeaders(view) ? ' (the last numbers)' : '';
  const completeness = view.isComplete ? 'complete' : `incomplete${age}`;
  const connections = total(view.rooms.values());
  return [
    `${url}   ${state}, ${completeness}: ${connections} connections in ${view.rooms.size} rooms`,
    `Open ${url} in a browser, or read the stream: curl -N ${url}/api/events   Press Ctrl-C to stop.`,
    ...(status === undefined ? [] : [status]),
    roomsTable(model),
    serversTable(servers, model),
    ...(doubted.size > 0
      ? [`≠ n!  the servers report n, the service does not: ${doubted.size} rooms differ`]
      : []),
    ...news,
  ].join('\n');
}

function roomsTable(model: TableModel): string {
  const { view, truth, doubted, maxRooms } = model;
  const ids = [...truth.keys()].sort();
  const all = new Map([...[...doubted].map((room) => [room, 0] as const), ...view.rooms]);
  const sorted = [...all].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const table = new Table({
    head: ['room', ...ids.map((id) => id.replace(/^.*(?=:)/, '')), 'service says'],
    colAligns: ['left', ...ids.map(() => 'right' as const), 'right'],
    style,
  });
  for (const [room, count] of sorted.slice(0, maxRooms)) {
    const cells = ids.map((id) => truth.get(id)?.[room] ?? (truth.get(id) ? '' : '?'));
    const doubt = doubted.has(room) ? `≠ ${sumOf(truth, room)}!  ` : '';
    table.push([displayName(room), ...cells, `${doubt}${count}`]);
  }
  const hidden = sorted.slice(maxRooms);
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
}

function serversTable(
  servers: readonly ServerRow[],
  { nowMs, nameOf = () => '' }: TableModel,
): string {
  const table = new Table({
    head: ['pub-sub server', 'name', 'state', 'rooms', 'connections', 'last heard'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right'],
    style,
  });
  for (const { id, state, rooms, connections, lastHeardAtMs } of servers) {
    table.push([
      displayName(id),
      nameOf(id),
      displayName(state),
      rooms ?? '',
      connections ?? '',
      ago(nowMs, lastHeardAtMs),
    ]);
  }
  return table.toString();
}

/** A room's name for the terminal: decoded, shortened, and without control characters. */
export function displayName(room: string): string {
  const printable = [...decoded(room).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')];
  if (printable.length === 0) return '(no name)';
  const isLong = printable.length > maxNameLength;
  return isLong ? `${printable.slice(0, maxNameLength - 1).join('')}…` : printable.join('');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function ago(nowMs: number, atMs: number | undefined): string {
  return atMs === undefined ? 'never' : `${(Math.max(0, nowMs - atMs) / 1_000).toFixed(1)} s ago`;
}

function total(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
