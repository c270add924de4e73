import { isWildcard } from '../addresses.js';
import { describeTarget } from '../redis/redisTarget.js';
import type { Config } from './config.js';
import { peerUrlFor } from './peerUrlFor.js';
import { publicUrlFor } from './publicUrlFor.js';

/** What is on, in words for the log and without secrets. */
export interface StartSummary {
  auth: string;
  /** Whether documents, logs of updates and people are shown. */
  content: string;
  /** What names pub-sub servers. */
  servers: string[];
  redis: string;
  store: string;
  /** Where pub-sub servers are told to post. */
  callbackAddress: string;
  cluster: string;
  /** Where `GET /metrics` is, and with which token. */
  metrics: string;
  /** The host that events are posted to. */
  webhooks: string;
  /** The collector that spans are sent to. */
  traces: string;
}

/** Sums up a configuration. `port`: the one that the service listens on. */
export function startSummary(config: Config, port: number): StartSummary {
  const { clusterUrl, showContent, webhookUrl } = config;
  return {
    auth: authOf(config),
    content: showContent ? 'shown' : 'hidden: SHOW_CONTENT is false',
    servers: serversOf(config),
    redis: redisOf(config),
    store: storeOf(config),
    callbackAddress: callbackAddressOf(config, port),
    cluster:
      clusterUrl === undefined
        ? 'off: CLUSTER_URL is unset'
        : `${describeTarget(clusterUrl)}, as ${peerUrlFor(config, port)}`,
    metrics: metricsOf(config, port),
    webhooks: webhookUrl === undefined ? 'off: WEBHOOK_URL is unset' : new URL(webhookUrl).host,
    traces: tracesOf(config),
  };
}

function tracesOf({ otlpEndpoint, otelDisabled }: Config): string {
  if (otlpEndpoint === undefined) return 'off: OTEL_EXPORTER_OTLP_ENDPOINT is unset';
  return otelDisabled ? 'off: OTEL_SDK_DISABLED is true' : new URL(otlpEndpoint).host;
}

function authOf({ auth, dashboardToken, proxyUserHeader }: Config): string {
  if (auth === 'none') return 'none: AUTH is none';
  const ways = [
    dashboardToken !== undefined && 'token',
    proxyUserHeader !== undefined && `a trusted proxy, by ${proxyUserHeader}`,
  ].filter((way) => way !== false);
  return ways.length > 0 ? ways.join(', ') : 'none: DASHBOARD_TOKEN is unset';
}

function metricsOf({ metricsPort, metricsToken }: Config, port: number): string {
  const where = metricsPort === 0 ? 'a free port' : `port ${metricsPort ?? port}`;
  return `${where}, ${metricsToken === undefined ? 'for viewers' : 'with METRICS_TOKEN'}`;
}

function redisOf({ redisUrl, showContent }: Config): string {
  if (redisUrl === undefined) return 'off: REDIS_URL is unset';
  return showContent ? describeTarget(redisUrl) : 'off: SHOW_CONTENT is false';
}

function serversOf(config: Config): string[] {
  const { pubSubServers, pubSubDns, ecsCluster, ecsService, dynamodbServersTable } = config;
  const sources = [
    pubSubServers.length > 0 && `PUBSUB_SERVERS: ${pubSubServers.length}`,
    ...pubSubDns.map(({ name }) => `DNS: ${name}`),
    ecsCluster !== undefined && `ECS: service ${ecsService} in ${ecsCluster}`,
    dynamodbServersTable !== undefined && `table ${dynamodbServersTable}`,
    config.discoverFromRooms && 'rooms table',
  ];
  return [...sources.filter((source) => source !== false), 'start-up queries'];
}

function storeOf(config: Config): string {
  const { dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable, dataDir } = config;
  const names = [dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable];
  const tables = names.filter((name) => name !== undefined);
  const embedded = dataDir === undefined ? 'embedded, in memory' : `embedded, in ${dataDir}`;
  if (tables.length === 0) return embedded;
  const inAws = `DynamoDB: ${tables.join(', ')}`;
  return tables.length === names.length ? inAws : `${inAws}; other tables: ${embedded}`;
}

function callbackAddressOf({ instanceUrl, publicUrl, host }: Config, port: number): string {
  const configured = instanceUrl ?? publicUrl;
  if (configured !== undefined) return configured;
  return isWildcard(host)
    ? `the local address of the connection to each server, port ${port}`
    : publicUrlFor({ host }, port);
}
