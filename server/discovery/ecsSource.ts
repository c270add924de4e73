import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import { toServerId } from '../addresses.js';
import type { DiscoverySource } from './discoverySource.js';

/** The ECS service whose tasks are pub-sub servers. The AWS SDK's variables set region and credentials. */
export interface EcsService {
  cluster: string;
  service: string;
}

/** The limit of the API. */
const pageSize = 100;
/** More tasks than discovery takes, so it can report that there are too many. */
const maxPages = 51;

/** The running tasks of an ECS service, by the private IPv4 addresses of their network interfaces. */
export function ecsSource({ cluster, service }: EcsService, pubSubPort: number): DiscoverySource {
  let client: ECSClient | undefined;
  return {
    name: 'ecs',
    discover: async (abortSignal) => {
      const sdk = await import('@aws-sdk/client-ecs');
      abortSignal.throwIfAborted();
      client ??= new sdk.ECSClient();
      const addresses = new Set<string>();
      let nextToken: string | undefined;
      let running = 0;
      for (let page = 0; page < maxPages; page += 1) {
        const list = new sdk.ListTasksCommand({
          cluster,
          serviceName: service,
          desiredStatus: 'RUNNING',
          maxResults: pageSize,
          nextToken,
        });
        const listed = await client.send(list, { abortSignal });
        const tasks = listed.taskArns ?? [];
        if (tasks.length > 0) {
          const describe = new sdk.DescribeTasksCommand({ cluster, tasks });
          const described = await client.send(describe, { abortSignal });
          for (const task of described.tasks ?? []) {
            if (task.lastStatus !== 'RUNNING') continue;
            running += 1;
            for (const address of addressesOf(task)) addresses.add(address);
          }
        }
        nextToken = listed.nextToken;
        if (!nextToken) break;
      }
      if (running > 0 && addresses.size === 0)
        throw new Error('no running task has a network interface of its own (awsvpc)');
      return [...addresses].map((address) => toServerId(address, pubSubPort));
    },
    close: () => client?.destroy(),
  };
}

function addressesOf({ attachments = [], containers = [] }: Task): string[] {
  const attached = attachments
    .filter(({ type }) => type === 'ElasticNetworkInterface')
    .flatMap(({ details = [] }) => details)
    .filter(({ name }) => name === 'privateIPv4Address')
    .map(({ value }) => value);
  const ofContainers = containers
    .flatMap(({ networkInterfaces = [] }) => networkInterfaces)
    .map(({ privateIpv4Address }) => privateIpv4Address);
  return [...attached, ...ofContainers].filter((address) => address !== undefined);
}
