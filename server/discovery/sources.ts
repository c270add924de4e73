import type { Config } from '../config/config.js';
import type { Store } from '../store/store.js';
import { dnsSource } from './dnsSource.js';
import { ecsSource } from './ecsSource.js';
import { registeredServers } from './registeredServers.js';
import { roomAddresses } from './roomAddresses.js';
import type { Source } from './source.js';

/** The sources of servers that the configuration asks for. */
export function sourcesFor(config: Config, store: Store): Source[] {
  const { pubSubPort, pubSubDns, pubSubDnsServer, ecsCluster, ecsService } = config;
  const sources = [
    registeredServers(store.servers, { isOwn: config.dynamodbServersTable === undefined }),
  ];
  for (const name of pubSubDns) sources.push(dnsSource(name, pubSubPort, pubSubDnsServer));
  if (ecsCluster !== undefined && ecsService !== undefined)
    sources.push(ecsSource({ cluster: ecsCluster, service: ecsService }, pubSubPort));
  if (config.discoverFromRooms) sources.push(roomAddresses(store.rooms, pubSubPort));
  return sources;
}
