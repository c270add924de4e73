import { type IncomingMessage, request } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** What a watcher tells whoever judges it. */
export interface WatcherEvents {
  /** After each event that it has taken. */
  onEvent?: (watcher: Watcher, event: EventSourceMessage) => void;
}

/** What a watcher counts. */
export interface WatcherFigures {
  connections: number;
  /** Reconnections whose first event with numbers was not a whole state: the stream was resumed. */
  resumed: number;
  /** Reconnections that began with a whole state. */
  snapshots: number;
}

/** As the page does. */
const usualRetryMs = 1_000;

/**
 * A viewer of `?stream=changes` that reconnects with `Last-Event-ID`, as an EventSource does, and keeps
 * what it was told. It also goes on after an error status. The caller closes it.
 */
export class Watcher {
  readonly name: string;
  readonly rooms = new Map<string, number>();
  readonly servers = new Map<string, string>();
  readonly figures: WatcherFigures = { connections: 0, resumed: 0, snapshots: 0 };
  state = 'unknown';
  isComplete = false;
  reason: string | null = null;
  /** Term of the leader, in a cluster. */
  term: number | null = null;
  isConnected = false;
  /** The instance that it is connected to, as the proxy tells it. */
  instance: string | undefined;
  lastEventId = '';
  /** How each room came to its count: the newest changes, with their time and event. */
  readonly history = new Map<string, string[]>();
  readonly #url: string;
  readonly #events: WatcherEvents;
  #retryMs = usualRetryMs;
  #timer: NodeJS.Timeout | undefined;
  #end: () => void = () => undefined;
  #isClosed = false;
  #isResuming = false;

  constructor(name: string, url: string, events: WatcherEvents = {}) {
    this.name = name;
    this.#url = `${url}/api/events?stream=changes`;
    this.#events = events;
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#end();
  }

  /** Cuts the connection. It opens another one after its usual wait. */
  cut(): void {
    this.#end();
  }

  /** One line for a failed run. */
  inWords(): string {
    const total = [...this.rooms.values()].reduce((sum, count) => sum + count, 0);
    return `${this.name} ${this.told}, ${total} in ${this.rooms.size} rooms`;
  }

  /** Where it is connected, and what it was told but the numbers. */
  get told(): string {
    const said = this.isComplete ? 'complete' : `incomplete (${this.reason})`;
    const where = this.isConnected ? `at ${this.instance}` : 'not connected';
    return `${where}: ${this.state}, ${said}, term ${this.term}`;
  }

  #open(): void {
    const headers = {
      Accept: 'text/event-stream',
      ...(this.lastEventId && { 'Last-Event-ID': this.lastEventId }),
    };
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.isConnected = false;
      asked.destroy();
      if (!this.#isClosed) this.#timer = setTimeout(() => this.#open(), this.#retryMs);
    };
    const asked = request(this.#url, { headers, agent: false });
    asked.on('error', over);
    asked.on('response', (answer) => {
      answer.on('error', over).on('close', over);
      if (answer.statusCode === 200) this.#read(answer);
      else answer.resume();
    });
    this.#end = over;
    asked.end();
  }

  #read(answer: IncomingMessage): void {
    const parser = createParser({
      onEvent: (event) => this.#take(event),
      onRetry: (retryMs) => {
        this.#retryMs = retryMs;
      },
    });
    this.#retryMs = usualRetryMs;
    this.#isResuming = this.figures.connections > 0;
    this.figures.connections += 1;
    this.instance = String(answer.headers['x-served-by'] ?? new URL(this.#url).origin);
    // Of the connection before, which may have been long ago.
    this.isComplete = false;
    this.isConnected = true;
    answer.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
  }

  #take(message: EventSourceMessage): void {
    const { event, id, data } = message;
    if (id !== undefined) this.lastEventId = id;
    const said = JSON.parse(data);
    const note = `by ${event} ${id ?? ''} at ${Math.round(performance.now())}`;
    if (event === 'snapshot') {
      this.rooms.clear();
      this.servers.clear();
    }
    if (this.#isResuming && event !== 'status') {
      this.#isResuming = false;
      this.figures[event === 'snapshot' ? 'snapshots' : 'resumed'] += 1;
    }
    if (said.state !== undefined) this.state = said.state;
    if (said.complete !== undefined) this.isComplete = said.complete;
    if (said.reason !== undefined) this.reason = said.reason;
    if (said.term !== undefined) this.term = said.term;
    for (const { id: server, state } of said.servers ?? []) {
      if (state === 'gone') this.servers.delete(server);
      else this.servers.set(server, state);
    }
    for (const [room, count] of Object.entries<number>(said.rooms ?? {})) {
      this.history.set(room, [...(this.history.get(room) ?? []).slice(-7), `${count} ${note}`]);
      if (count > 0) this.rooms.set(room, count);
      else this.rooms.delete(room);
    }
    this.#events.onEvent?.(this, message);
  }
}
