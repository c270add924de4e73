import { startEmbedded } from '../store/embedded/embedded.js';
import type { StoreWriterOptions } from './storeWriter.js';

/** The metadata store of the demo: the embedded one, in memory, for the service and its pub-sub servers. */
export interface DemoStore {
  /** For the pub-sub servers. */
  readonly writer: StoreWriterOptions;
  stop(): Promise<void>;
}

/** Starts the store and sets its environment variables, which the child processes inherit. */
export async function startDemoStore(): Promise<DemoStore> {
  // A warning on the terminal would disturb the live table.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';
  const embedded = await startEmbedded();
  const { clientOptions, names: tables } = embedded;
  const { endpoint, region, credentials } = clientOptions;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    DYNAMODB_TABLE: tables.rooms,
    DYNAMODB_SERVERS_TABLE: tables.servers,
    DYNAMODB_CONNECTIONS_TABLE: tables.connections,
    // Clear settings of other stores. A profile would override the key above.
    AWS_PROFILE: '',
    AWS_SESSION_TOKEN: '',
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    DATA_DIR: '',
  });
  return { writer: { tables, heartbeatMs: 2_000 }, stop: embedded.close };
}
