import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { waitFor } from 'xstate';
import type { ActivationActor } from '../machines/activationMachine.js';
import { ClusterConnection } from './cluster/connect.js';
import { type Config, isTableKept } from './config/config.js';
import { publicUrlFor } from './config/publicUrlFor.js';
import { startSummary } from './config/startSummary.js';
import type { Dependency } from './dependencies/dependencies.js';
import { ServerFile, serverFileIn } from './discovery/serverFile.js';
import { limitConnections } from './http/guards/connectionLimits.js';
import { listen } from './http/listening.js';
import { lateStore } from './store/lateStore.js';
import type { Store } from './store/store.js';
import { withDeadline } from './timing/withDeadline.js';
import { loadTracing } from './tracing/loadTracing.js';
import type { Tracing } from './tracing/tracing.js';
import { type CheckOptions, wireDependencies } from './wiring/wireDependencies.js';
import { type WiredService, type WiringNeeds, wireService } from './wiring/wireService.js';

/** A running dashboard service. */
export interface Service extends Pick<WiredService, 'instance' | 'endStreams'> {
  /** The actor that counts. Throws if this instance does not lead. */
  readonly activation: ActivationActor;
  /** The URL under which others reach it. */
  url: string;
  /** Where `METRICS_PORT` serves the metrics; undefined: it is not set. */
  metricsUrl: string | undefined;
  /** Silences the pub-sub servers, ends every stream and connection; within 9 s. */
  stop: () => Promise<void>;
  /** Rejects if a defect stopped the machine: the process should exit and be restarted. */
  failed: Promise<never>;
}

/** How long a client may take to send the head, and the whole request. Bodies have a shorter timeout. */
const receiveTimeoutMs = { head: 10_000, request: 25_000 };
/** Longer than load balancers reuse an idle connection, 60 s by default: they would meet its end, and answer 502. */
const keepAliveTimeoutMs = 65_000;
/** Connections beyond those of viewers: for pub-sub servers and short requests. */
const spareConnections = { inAll: 5000, perAddress: 1000 };
/** Connections to `METRICS_PORT`. */
const maxScrapers = 100;
/** How long the shutdown tries to silence servers. The next start silences the rest. */
const silencingMs = 7000;
const closingMs = 1000;
/** How long the start waits for the Redis of the cluster. */
const connectingMs = 5000;

/** What tests replace. */
export interface ServiceOverrides {
  /** Opens the metadata store. */
  openStore?: typeof openConfiguredStore;
  discoveryIntervalMs?: number;
  /** How often dependencies are asked, and whether tables are asked: not if the store is a double. */
  checks?: CheckOptions;
  clock?: WiringNeeds['clock'];
  readTimeoutsMs?: WiringNeeds['readTimeoutsMs'];
  lookup?: WiringNeeds['lookup'];
  spareConnections?: typeof spareConnections;
}

/**
 * Listens and starts the machine. Rejects if it cannot listen. The metadata store opens meanwhile, because
 * live counts do not need it.
 */
export async function startService(
  config: Config,
  log: Logger,
  overrides: ServiceOverrides = {},
): Promise<Service> {
  const {
    openStore = openConfiguredStore,
    spareConnections: spare = spareConnections,
    checks,
    ...forWiring
  } = overrides;
  const server = createServer({
    requestTimeout: receiveTimeoutMs.request,
    headersTimeout: receiveTimeoutMs.head,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: 1000,
  });
  const limits = {
    max: config.maxViewers + spare.inAll,
    maxPerAddress: config.maxViewersPerAddress + spare.perAddress,
    trustedProxies: config.trustedProxies,
  };
  limitConnections(server, limits, log);
  const tracing = await loadTracing(config, log);
  const health = wireDependencies(config, log, checks);
  const connection = await connectCluster(config, log, health.cluster);
  await listen(server, config).catch((error: unknown) => {
    connection?.close();
    void health.close();
    throw error;
  });
  const port = portOf(server);
  const publicUrl = publicUrlFor(config, port);
  const hasObservations = keepsObservations(config);
  const store = lateStore(() => openStore(config, log, health.tableErred), log, {
    hasObservations,
    dependency: health.folder,
  });
  const memory = serverFileFor(config, log);
  const outside = { store, memory, connection, health, tracing };
  const wired = wireService({ ...forWiring, config, log, publicUrl, ownPort: port, ...outside });
  server.on('request', wired.listener);
  const metricsServer = await listenForScrapes(config, wired).catch(async (error: unknown) => {
    server.close();
    await wired.close();
    connection?.close();
    void health.close();
    throw error;
  });
  const failed = new Promise<never>((_resolve, reject) => {
    wired.instance.subscribe({ error: reject });
  });
  // Awaiting it is optional.
  failed.catch(() => {});
  wired.start();
  log.info(startSummary(config, port), 'this is what the service runs with');
  health.start(wired.pauses);
  let ending: Promise<void> | undefined;
  const end = () => {
    metricsServer?.close();
    metricsServer?.closeAllConnections();
    const healthClosed = health.close();
    ending ??= stop(server, wired, log)
      .then(() => memory?.close())
      .then(() => connection?.close())
      .then(() => Promise.all([closeStore(store, log), flush(tracing)]))
      .then(() => withDeadline(healthClosed, closingMs, () => undefined));
    return ending;
  };
  const { instance, endStreams } = wired;
  return {
    url: publicUrl,
    metricsUrl: metricsServer && publicUrlFor({ host: config.host }, portOf(metricsServer)),
    instance,
    get activation() {
      return wired.activation();
    },
    endStreams,
    failed,
    stop: end,
  };
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** Serves the metrics at `METRICS_PORT`. Undefined: it is not set. */
async function listenForScrapes(
  { host, metricsPort: port }: Config,
  { metricsListener }: WiredService,
): Promise<Server | undefined> {
  if (!metricsListener || port === undefined) return undefined;
  const server = createServer(
    { requestTimeout: receiveTimeoutMs.request, headersTimeout: receiveTimeoutMs.head },
    metricsListener,
  );
  server.maxConnections = maxScrapers;
  await listen(server, { host, port }, 'METRICS_PORT');
  return server;
}

async function stop(server: Server, wired: WiredService, log: Logger): Promise<void> {
  const { instance } = wired;
  wired.endStreams();
  instance.send({ type: 'shutdown.requested' });
  const isStopped = (snapshot: { status: string }) => snapshot.status !== 'active';
  await waitFor(instance, isStopped, { timeout: silencingMs }).catch(() =>
    log.warn(
      'some pub-sub servers could not be told to stop posting; the next start tells them again',
    ),
  );
  await withDeadline(wired.leave(), closingMs, () => undefined);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await withDeadline(closed, closingMs, () => server.closeAllConnections());
  await closed;
  await wired.close();
}

/** Resolves even if Redis does not answer: the connection is opened later. Rejects with `EvictingRedis`. */
async function connectCluster(
  config: Config,
  log: Logger,
  dependency: Dependency | undefined,
): Promise<ClusterConnection | undefined> {
  const { clusterUrl: url, clusterBeatMs: deadlineMs } = config;
  if (url === undefined) return undefined;
  const sentinelPassword = config.redisSentinelPassword;
  const connection = new ClusterConnection({ url, sentinelPassword, log, deadlineMs, dependency });
  try {
    await connection.connected(connectingMs);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The file that remembers servers which no source names; undefined: a table remembers them, or nothing does. */
function serverFileFor(config: Config, log: Logger): ServerFile | undefined {
  const { stateDir, host, port } = config;
  if (isTableKept(config) || stateDir === undefined || port === 0) return undefined;
  return new ServerFile(serverFileIn(stateDir, host, port), log);
}

/** Whether observations are saved: only in an embedded store that survives restarts. */
function keepsObservations(config: Config): boolean {
  const { dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable, dataDir } = config;
  const tables = [dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable];
  return dataDir !== undefined && tables.includes(undefined);
}

/**
 * Opens the store of the configuration. Loads its code late, because it is large. `onFailure` is called with the
 * name of a table for each request that failed.
 */
export async function openConfiguredStore(
  config: Config,
  log: Logger,
  onFailure?: (table: string) => void,
): Promise<Store> {
  const { openStore } = await import('./store/openStore.js');
  const onFault = (error: Error) => log.error({ err: error }, 'the embedded store failed');
  return openStore(config, { onFault, onFailure });
}

/** A collector that hangs does not delay the exit any longer. */
async function flush(tracing: Tracing | undefined): Promise<void> {
  if (tracing) await withDeadline(tracing.close(), closingMs, () => undefined);
}

async function closeStore(store: Store, log: Logger): Promise<void> {
  const closed = store
    .close()
    .catch((error: unknown) => log.warn({ err: error }, 'the metadata store did not close'));
  await withDeadline(closed, closingMs, () => undefined);
}
