import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Config } from '../config/config.js';
import { type ClientOptions, createClient } from './dynamodb/client.js';
import { connectionsTable } from './dynamodb/connectionsTable.js';
import { observationsTable } from './dynamodb/observationsTable.js';
import { roomsTable } from './dynamodb/roomsTable.js';
import { serversTable } from './dynamodb/serversTable.js';
import { defaultNames, observationsName } from './dynamodb/tables.js';
import { type EmbeddedOptions, startEmbedded } from './embedded/embedded.js';
import type { Store } from './store.js';

export { createTables } from './dynamodb/tables.js';

/** The configuration of the store. */
export type StoreConfig = Pick<
  Config,
  'dynamodbTable' | 'dynamodbServersTable' | 'dynamodbConnectionsTable' | 'dataDir'
>;

/**
 * Opens the metadata store. A table with a configured name must exist; a table without is in the embedded
 * server. Rejects with `StoreError`. The caller closes it.
 */
export async function openStore(
  config: StoreConfig,
  { onFault, onFailure }: Pick<EmbeddedOptions, 'onFault'> & Pick<ClientOptions, 'onFailure'> = {},
): Promise<Store> {
  const { dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable, dataDir } = config;
  const given = [dynamodbTable, dynamodbServersTable, dynamodbConnectionsTable];
  const needsEmbedded = given.includes(undefined);
  const embedded = needsEmbedded
    ? await startEmbedded({ dataDir, ...(onFault && { onFault }) })
    : undefined;
  const embeddedClient = embedded && createClient(embedded.clientOptions);
  // Without named tables, AWS is not contacted, and no credentials are looked for.
  const isNamed = given.some((name) => name !== undefined);
  const client = isNamed || !embeddedClient ? createClient({ onFailure }) : embeddedClient;

  /** The table with a configured name, or the embedded one. */
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
