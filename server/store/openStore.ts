import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Config } from '../config/config.js';
import { createClient } from './dynamodb/client.js';
import { connectionsTable } from './dynamodb/connectionsTable.js';
import { observationsTable } from './dynamodb/observationsTable.js';
import { roomsTable } from './dynamodb/roomsTable.js';
import { serversTable } from './dynamodb/serversTable.js';
import { defaultNames, observationsName } from './dynamodb/tables.js';
import { type EmbeddedOptions, startEmbedded } from './embedded/embedded.js';
import type { Store } from './store.js';

export { createTables } from './dynamodb/tables.js';

/** What the store needs to know. */
export type StoreConfig = Pick<
  Config,
  'dynamodbTable' | 'dynamodbServersTable' | 'dynamodbConnectionsTable' | 'dataDir'
>;

/**
 * The metadata store as configured: a table that has a name is used as it is, never created; one that
 * has none is in the embedded server. Rejects with `StoreError`. Whoever opens it closes it.
 */
export async function openStore(
  config: StoreConfig,
  { onFault }: Pick<EmbeddedOptions, 'onFault'> = {},
): Promise<Store> {
  const { dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable, dataDir } = config;
  const given = [dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable];
  const needsEmbedded = given.includes(undefined);
  const embedded = needsEmbedded
    ? await startEmbedded({ dataDir, ...(onFault && { onFault }) })
    : undefined;
  const embeddedClient = embedded && createClient(embedded.clientOptions);
  // Where no table has a name nothing of AWS is asked, nor looked for.
  const isNamed = given.some((name) => name !== undefined);
  const client = isNamed || !embeddedClient ? createClient() : embeddedClient;

  /** A table by its given name, or the embedded one. */
  const open = <Table>(
    table: (client: DynamoDBClient, name: string) => Table,
    name: string | undefined,
    embeddedName: string,
  ) => (name === undefined ? table(embeddedClient ?? client, embeddedName) : table(client, name));

  return {
    rooms: open(roomsTable, dynamodbTable, defaultNames.rooms),
    servers: open(serversTable, dynamodbServersTable, defaultNames.servers),
    connections: open(connectionsTable, dynamodbConnectionsTable, defaultNames.connections),
    ...(embedded &&
      dataDir !== undefined && {
        observations: observationsTable(embeddedClient ?? client, observationsName),
      }),
    close: async () => {
      client.destroy();
      embeddedClient?.destroy();
      await embedded?.close();
    },
  };
}
