import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { waitFor } from 'xstate';
import { type Config, publicUrlFor } from './config.js';
import { type Wired, wire } from './wiring.js';

/** A running dashboard service. */
export interface Service extends Pick<Wired, 'actor'> {
  /** Where it listens, as others reach it. */
  url: string;
  /** Silences the pub-sub servers, ends every stream and connection; within 9 s. */
  stop: () => Promise<void>;
  /** Rejects when a defect stopped the machine: the process should end, and be started anew. */
  failed: Promise<never>;
}

/** How long a sender may take for its request. */
const receiveTimeoutMs = 10_000;
/** How long servers are told to be silent at the end, before the rest is left to the next start. */
const silencingMs = 7000;
const closingMs = 1000;

/** Listens, and starts the machine. Rejects when the address cannot be listened on. */
export async function startService(config: Config, log: Logger): Promise<Service> {
  const server = createServer({
    requestTimeout: receiveTimeoutMs,
    headersTimeout: receiveTimeoutMs,
    connectionsCheckingInterval: 1000,
  });
  await listen(server, config);
  const { port } = server.address() as AddressInfo;
  const publicUrl = publicUrlFor(config, port);
  const wired = wire({ config, log, publicUrl, ownPort: port });
  server.on('request', wired.app.callback());
  const failed = new Promise<never>((_resolve, reject) => {
    wired.actor.subscribe({ error: reject });
  });
  // Whoever wants to know awaits it; nobody has to.
  failed.catch(() => {});
  wired.actor.start();
  return { url: publicUrl, actor: wired.actor, failed, stop: () => stop(server, wired, log) };
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  server.removeAllListeners('error');
}

async function stop(server: Server, wired: Wired, log: Logger): Promise<void> {
  const { actor } = wired;
  wired.drain();
  wired.feed.close();
  actor.send({ type: 'shutdown.requested' });
  await waitFor(actor, (snapshot) => snapshot.status !== 'active', { timeout: silencingMs }).catch(
    () => log.warn('some pub-sub servers could not be told to be silent'),
  );
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const rest = setTimeout(() => server.closeAllConnections(), closingMs);
  await closed;
  clearTimeout(rest);
  wired.close();
}
