import type { ActivityEvent } from '../../wire/activityEvent.js';
import type { FleetUpdate, Port, StreamEvent, StreamStatus, ToHub, ToTab } from './messages.js';
import { translated } from './translated.js';

type TabPort = Port<ToHub, ToTab>;

interface OpenStream {
  url: string;
  onEvent: (event: StreamEvent) => void;
  onStatus: (status: StreamStatus) => void;
}

/** The callbacks of the fleet stream. */
export interface FleetListener {
  /** Whether this browser is signed in, or the service requires no token. */
  hasAccess: () => boolean;
  onUpdate: (update: FleetUpdate) => void;
  onActivity: (events: readonly ActivityEvent[]) => void;
  onStatus: (status: StreamStatus) => void;
}

let port: TabPort | undefined;
let fleet: FleetListener | undefined;
const streams = new Map<number, OpenStream>();
let lastStream = 0;
let silentChecks = 0;
let isSharing = typeof SharedWorker === 'function';

/**
 * A hub pings every 5 s. After this many checks without a message, its process has died. This counts
 * checks instead of seconds, because browsers throttle the timers of hidden tabs on both sides.
 */
const maxSilentChecks = 6;
const hubCheckMs = 2000;

/** Connects to the hub. Call it once, before `openStream`. */
export async function connectFleet(listener: FleetListener): Promise<void> {
  fleet = listener;
  await findHub();
  setInterval(() => {
    silentChecks += 1;
    if (silentChecks > maxSilentChecks) void findHub();
  }, hubCheckMs);
  addEventListener('pagehide', () => send({ type: 'bye' }));
  addEventListener('pageshow', ({ persisted }) => persisted && join());
  addEventListener('online', () => retryStreams());
}

/**
 * Opens an event stream at a URL relative to the page, and reconnects after every cut. Call the
 * returned function to close it.
 */
export function openStream(
  url: string,
  onEvent: OpenStream['onEvent'],
  onStatus: OpenStream['onStatus'],
): () => void {
  lastStream += 1;
  const stream = lastStream;
  const absolute = new URL(url, document.baseURI).href;
  streams.set(stream, { url: absolute, onEvent, onStatus });
  onStatus({ kind: 'connecting' });
  send({ type: 'open', stream, url: absolute });
  return () => {
    streams.delete(stream);
    send({ type: 'close', stream });
  };
}

/** Makes all waiting streams reconnect immediately. */
export const retryStreams = () => send({ type: 'retry' });

/** Tells all tabs, and reopens the streams. */
export const announceSignIn = () => send({ type: 'signedIn' });

/** Tells all tabs, and closes all streams. */
export const announceSignOut = () => send({ type: 'signedOut' });

function send(message: ToHub): void {
  port?.postMessage(message);
}

/** Sends `hello` and the open streams to a hub that may not know this tab. */
function join(): void {
  const hasAccess = fleet?.hasAccess() ?? true;
  send({ type: 'hello', base: document.baseURI, isMultiplexed: isMultiplexed(), hasAccess });
  for (const [stream, { url }] of streams) send({ type: 'open', stream, url });
}

/** With HTTP/2 and later, all streams share one connection, so there is no limit. */
function isMultiplexed(): boolean {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return /^h[23]/.test(navigation?.nextHopProtocol ?? '');
}

/** Connects to a hub, leaving the current one. */
async function findHub(): Promise<void> {
  silentChecks = 0;
  send({ type: 'bye' });
  port?.close();
  port = await openPort();
  port.onmessage = ({ data }) => receive(data);
  join();
}

/** Opens a port to the shared hub, or to a hub of this tab if there are no shared workers. */
async function openPort(): Promise<TabPort> {
  if (isSharing) {
    const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    // The script failed to load.
    worker.onerror = () => {
      isSharing = false;
      void findHub();
    };
    return worker.port as TabPort;
  }
  const { Hub } = await import('./hub.js');
  const { port1, port2 } = new MessageChannel();
  new Hub().connect(port1 as Port<ToTab, ToHub>);
  return port2 as TabPort;
}

function receive(message: ToTab): void {
  silentChecks = 0;
  switch (message.type) {
    case 'update':
      fleet?.onUpdate(message.update);
      break;
    case 'activity':
      fleet?.onActivity(message.events);
      break;
    case 'fleetStatus':
      fleet?.onStatus(translated(message));
      break;
    case 'event':
      streams.get(message.stream)?.onEvent(message.event);
      break;
    case 'status':
      streams.get(message.stream)?.onStatus(translated(message));
      break;
    case 'ping':
      send({ type: 'pong' });
      break;
    case 'unknownTab':
      join();
      break;
  }
}
