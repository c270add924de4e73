import type { ActivityEvent } from '../../wire/activityEvent.js';
import { steadyNow } from '../steadyNow.js';
import { EventReader, type ReaderTiming } from './eventReader.js';
import { FleetState } from './fleetState.js';
import type { Port, StreamEvent, StreamStatus, ToHub, ToTab } from './messages.js';

/** Browsers open six HTTP/1.1 connections to a host: one for the fleet, one for requests, four for rooms. */
const maxRoomStreams = 4;

/** Intervals of the hub, in milliseconds. */
export interface HubTiming extends Partial<ReaderTiming> {
  pingMs: number;
}

const usualTiming: HubTiming = { pingMs: 5000 };

/** A tab with this many unanswered pings is gone. A port has no close event. */
const maxPingsUnanswered = 4;

interface Tab {
  port: Port<ToTab, ToHub>;
  pingsUnanswered: number;
  streams: Map<number, RoomStream>;
}

type Hello = Extract<ToHub, { type: 'hello' }>;

interface RoomStream {
  tab: Tab;
  id: number;
  url: string;
  reader?: EventReader;
}

/**
 * Opens the streams of all tabs: one fleet stream for all of them, and one stream for each watched
 * room. Runs in a SharedWorker, or in the tab if the browser has none.
 */
export class Hub {
  readonly #timing: HubTiming;
  readonly #tabs = new Set<Tab>();
  /** Room streams of all tabs, oldest first. */
  readonly #streams = new Set<RoomStream>();
  #fleet: EventReader | undefined;
  #fleetState = new FleetState();
  #base = '';
  #isMultiplexed = false;
  #isSignedOut = false;
  #pinging: ReturnType<typeof setInterval> | undefined;

  constructor(timing: Partial<HubTiming> = {}) {
    this.#timing = { ...usualTiming, ...timing };
  }

  /** Listens to the port of a tab. The tab joins with its `hello`. */
  connect(port: Port<ToTab, ToHub>): void {
    const tab: Tab = { port, pingsUnanswered: 0, streams: new Map() };
    port.onmessage = ({ data }) => this.#receive(tab, data);
  }

  #receive(tab: Tab, message: ToHub): void {
    tab.pingsUnanswered = 0;
    // An unknown tab was frozen, and the hub removed it.
    const isKnown = this.#tabs.has(tab) || message.type === 'hello' || message.type === 'bye';
    if (isKnown) this.#handle(tab, message);
    else tab.port.postMessage({ type: 'unknownTab' });
  }

  #handle(tab: Tab, message: ToHub): void {
    switch (message.type) {
      case 'hello':
        this.#enter(tab, message);
        break;
      case 'bye':
        this.#leave(tab);
        break;
      case 'open':
        this.#open(tab, message.stream, message.url);
        break;
      case 'close':
        this.#close(tab, message.stream);
        break;
      case 'retry':
        this.#retry();
        break;
      case 'signedIn':
        this.#signIn();
        break;
      case 'signedOut':
        this.#signOut();
        break;
    }
  }

  #enter(tab: Tab, { base, isMultiplexed, hasAccess }: Hello): void {
    this.#base = base;
    this.#isMultiplexed = isMultiplexed;
    this.#tabs.add(tab);
    this.#pinging ??= setInterval(() => this.#ping(), this.#timing.pingMs);
    if (hasAccess && this.#isSignedOut) this.#signIn();
    if (!hasAccess && !this.#fleet) this.#isSignedOut = true;
    if (!this.#isSignedOut) this.#fleet ??= this.#openFleet();
    this.#tell(tab, this.#fleet?.status ?? { kind: 'signedOut' });
    const update = this.#fleetState.snapshot();
    if (update) tab.port.postMessage({ type: 'update', update });
  }

  #leave(tab: Tab): void {
    for (const id of [...tab.streams.keys()]) this.#close(tab, id);
    this.#tabs.delete(tab);
    if (this.#tabs.size > 0) return;
    clearInterval(this.#pinging);
    this.#pinging = undefined;
    this.#closeFleet();
  }

  #ping(): void {
    for (const tab of [...this.#tabs]) {
      tab.pingsUnanswered += 1;
      if (tab.pingsUnanswered > maxPingsUnanswered) this.#leave(tab);
      else tab.port.postMessage({ type: 'ping' });
    }
  }

  #openFleet(): EventReader {
    this.#fleetState = new FleetState();
    const onStatus = (status: StreamStatus) => {
      if (status.kind === 'signedOut') this.#signOut();
      else for (const tab of this.#tabs) this.#tell(tab, status);
    };
    const url = new URL('api/events?stream=changes', this.#base).href;
    return new EventReader(
      url,
      {
        onStatus,
        onEvent: (event) => this.#takeFleetEvent(event),
      },
      this.#timing,
    );
  }

  #takeFleetEvent(event: StreamEvent): void {
    const update = this.#fleetState.apply(event);
    if (update) this.#tellAll({ type: 'update', update });
    if (event.event !== 'activity') return;
    const { events } = JSON.parse(event.data) as { events: ActivityEvent[] };
    this.#tellAll({ type: 'activity', events });
  }

  #closeFleet(): void {
    this.#fleet?.close();
    this.#fleet = undefined;
    this.#fleetState = new FleetState();
  }

  #open(tab: Tab, id: number, url: string): void {
    this.#close(tab, id);
    const stream: RoomStream = { tab, id, url };
    tab.streams.set(id, stream);
    this.#streams.add(stream);
    this.#startStreams();
    if (!stream.reader)
      this.#tellStream(stream, { kind: this.#isSignedOut ? 'signedOut' : 'waiting' });
  }

  #close(tab: Tab, id: number): void {
    const stream = tab.streams.get(id);
    if (!stream) return;
    stream.reader?.close();
    tab.streams.delete(id);
    this.#streams.delete(stream);
    this.#startStreams();
  }

  /** Starts waiting streams, as many as the connection limit allows. */
  #startStreams(): void {
    if (this.#isSignedOut) return;
    const limit = this.#isMultiplexed ? Number.POSITIVE_INFINITY : maxRoomStreams;
    let open = [...this.#streams].filter(({ reader }) => reader).length;
    for (const stream of this.#streams) {
      if (open >= limit) return;
      if (stream.reader) continue;
      stream.reader = this.#readStream(stream);
      open += 1;
    }
  }

  #readStream(stream: RoomStream): EventReader {
    this.#tellStream(stream, { kind: 'connecting' });
    return new EventReader(
      stream.url,
      {
        onStatus: (status) => {
          if (status.kind === 'signedOut') this.#signOut();
          else this.#tellStream(stream, status);
        },
        onEvent: (event) =>
          stream.tab.port.postMessage({ type: 'event', stream: stream.id, event }),
      },
      this.#timing,
    );
  }

  #retry(): void {
    this.#fleet?.retry();
    for (const { reader } of this.#streams) reader?.retry();
  }

  #signIn(): void {
    this.#isSignedOut = false;
    this.#closeFleet();
    if (this.#tabs.size > 0) this.#fleet = this.#openFleet();
    for (const tab of this.#tabs) this.#tell(tab, { kind: 'connecting' });
    this.#startStreams();
  }

  #signOut(): void {
    this.#isSignedOut = true;
    this.#closeFleet();
    for (const stream of this.#streams) {
      stream.reader?.close();
      delete stream.reader;
      this.#tellStream(stream, { kind: 'signedOut' });
    }
    for (const tab of this.#tabs) this.#tell(tab, { kind: 'signedOut' });
  }

  #tellAll(message: ToTab): void {
    for (const { port } of this.#tabs) port.postMessage(message);
  }

  #tell({ port }: Tab, status: StreamStatus): void {
    port.postMessage({ type: 'fleetStatus', status, nowMs: steadyNow() });
  }

  #tellStream({ tab, id }: RoomStream, status: StreamStatus): void {
    tab.port.postMessage({ type: 'status', stream: id, status, nowMs: steadyNow() });
  }
}
