import type { FleetNews, Port, StreamEvent, StreamStatus, ToHub, ToTab } from './messages.js';
import { translated } from './translated.js';

type TabPort = Port<ToHub, ToTab>;

interface OpenStream {
  url: string;
  onEvent: (event: StreamEvent) => void;
  onStatus: (status: StreamStatus) => void;
}

/** What the tab is told of the fleet's stream, and what it is asked. */
export interface FleetListener {
  /** Whether the service would let this browser look, as far as is known. */
  maySee: () => boolean;
  onNews: (news: FleetNews) => void;
  onStatus: (status: StreamStatus) => void;
}

let port: TabPort | undefined;
let fleet: FleetListener | undefined;
const streams = new Map<number, OpenStream>();
let lastStream = 0;
let silentChecks = 0;
let isSharing = typeof SharedWorker === 'function';

/**
 * A hub pings every 5 s; one that says nothing between so many checks has died with its process. Checks
 * are counted, not seconds: in a tab that nobody sees the browser holds back the timers of both sides.
 */
const maxSilentChecks = 6;
const hubCheckMs = 2000;

/** Joins the streams that all tabs share; to be called once, before streams are opened. */
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
 * Follows an event stream, whose address is relative to the page's, until what is returned is called.
 * It comes back by itself after every cut; `onStatus` says how it is doing.
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

/** Has every stream that waits for its next attempt try now. */
export const retryStreams = () => send({ type: 'retry' });

/** Tells all tabs, and opens the streams again. */
export const announceSignIn = () => send({ type: 'signedIn' });

/** Tells all tabs, and closes the streams of all of them. */
export const announceSignOut = () => send({ type: 'signedOut' });

function send(message: ToHub): void {
  port?.postMessage(message);
}

/** Says hello, and what was open before, to a hub that may have taken this tab for gone. */
function join(): void {
  const maySee = fleet?.maySee() ?? true;
  send({ type: 'hello', base: document.baseURI, isMultiplexed: isMultiplexed(), maySee });
  for (const [stream, { url }] of streams) send({ type: 'open', stream, url });
}

/** By HTTP/2 and later all streams share a connection, and their number is no matter. */
function isMultiplexed(): boolean {
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  return /^h[23]/.test(navigation?.nextHopProtocol ?? '');
}

/** Joins the hub; one that does not answer is left for another. */
async function findHub(): Promise<void> {
  silentChecks = 0;
  send({ type: 'bye' });
  port?.close();
  port = await openPort();
  port.onmessage = ({ data }) => receive(data);
  join();
}

/** The hub that all tabs share; where there are no shared workers each tab has its own. */
async function openPort(): Promise<TabPort> {
  if (isSharing) {
    const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    // Its script could not be loaded.
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
    case 'news':
      fleet?.onNews(message.news);
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
