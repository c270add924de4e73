import type { Config } from '../config/config.js';
import type { Store } from '../store/store.js';
import type { DiscoverySource } from './discoverySource.js';
import { dnsSource } from './dnsSource.js';
import { ecsSource } from './ecsSource.js';
import { registeredServers } from './registeredServers.js';
import { roomAddresses } from './roomAddresses.js';

/** The discovery sources that the configuration asks for. */
export function sourcesFor(config: Config, store: Store): DiscoverySource[] {
  const { pubSubPort, pubSubDns, pubSubDnsServer, ecsCluster, ecsService } = config;
  const sources: DiscoverySource[] = [
    registeredServers(store.servers, { isEmbedded: config.dynamodbServersTable === undefined }),
  ];
  for (const name of pubSubDns) sources.push(dnsSource(name, pubSubPort, pubSubDnsServer));
  if (ecsCluster !== undefined && ecsService !== undefined)
    sources.push(ecsSource({ cluster: ecsCluster, service: ecsService }, pubSubPort));
  if (config.discoverFromRooms) sources.push(roomAddresses(store.rooms, pubSubPort));
  return sources;
}
