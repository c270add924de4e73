import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { makeFolder } from '../../config/makeFolder.js';
import { type ClientOptions, createClient } from '../dynamodb/client.js';
import { createEmbeddedTables, defaultNames, shapes, tableKinds } from '../dynamodb/tables.js';
import { StoreError } from '../store.js';
import { keepEmbeddedThread } from './embeddedThread.js';
import { createExpiry } from './expiry.js';

/** A DynamoDB server in this process, with the three tables. The caller closes it. */
export interface EmbeddedServer {
  /** For `createClient`. */
  readonly clientOptions: { endpoint: string; region: string; credentials: Credentials };
  readonly names: typeof defaultNames;
  /** Stops deleting expired items, and closes the server. */
  close(): Promise<void>;
}

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Options of the embedded server. */
export interface EmbeddedOptions extends Pick<ClientOptions, 'withinMs'> {
  /** Folder of its data; created if missing. Default: in memory. */
  dataDir?: string | undefined;
  /** Time between two deletions of expired items. Default 10,000 ms. */
  expireEveryMs?: number;
  /** Called with errors inside the server. Requests fail with `StoreError` anyway. */
  onFault?: (cause: Error) => void;
}

/** Starts dynalite on a free port of 127.0.0.1. Rejects with `StoreError`, for example if `dataDir` is in use. */
export async function startEmbedded({
  dataDir,
  expireEveryMs = 10_000,
  onFault = () => {},
  withinMs,
}: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const credentials = { accessKeyId: randomKey(), secretAccessKey: randomKey() };
  const { accessKeyId } = credentials;
  const path = dataDir === undefined ? {} : { path: await makeFolderIn(dataDir) };
  const faults = new EventEmitter<{ fault: [Error] }>().on('fault', onFault);
  const thread = await keepEmbeddedThread(
    { accessKeyId, ...path },
    {
      onFault: (cause) => faults.emit('fault', cause),
      onRestart: () => createEmbeddedTables(client),
    },
  );
  const endpoint = `http://127.0.0.1:${thread.port}`;
  const clientOptions = { endpoint, region: 'local', credentials };
  const client = createClient({ ...clientOptions, ...(withinMs !== undefined && { withinMs }) });
  const end = async () => {
    client.destroy();
    await thread.close();
  };
  try {
    // Wait for a fault too: dynalite does not answer if it could not open its database.
    await Promise.race([createEmbeddedTables(client), firstFault(faults, dataDir)]);
  } catch (cause) {
    await end();
    throw cause;
  }

  const expiries = tableKinds
    .filter((kind) => shapes[kind].hasTtl)
    .map((kind) => createExpiry(client, defaultNames[kind], shapes[kind].key));
  const expire = async () => {
    for (const expiry of expiries) await expiry.round().catch(onFault);
  };
  const stopExpiring = repeat(expire, expireEveryMs);
  return {
    clientOptions,
    names: defaultNames,
    close: async () => {
      await stopExpiring();
      await end();
    },
  };
}

async function makeFolderIn(dataDir: string): Promise<string> {
  const path = join(dataDir, 'dynamodb');
  await makeFolder(path).catch((cause: Error) => {
    throw unusable(dataDir, cause);
  });
  return path;
}

async function firstFault(faults: EventEmitter, dataDir = 'none'): Promise<never> {
  const [cause] = (await once(faults, 'fault')) as [Error];
  throw unusable(dataDir, cause);
}

function unusable(dataDir: string, cause: Error): StoreError {
  const words = `DATA_DIR "${dataDir}" cannot be used (${cause.message})`;
  return new StoreError(`${words}: is it writable, and used by no other process?`, { cause });
}

/** Repeats a call without overlap. The returned function stops, and waits for the current call. */
function repeat(call: () => Promise<void>, everyMs: number): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let current = Promise.resolve();
  const next = () => {
    if (isStopped) return;
    timer = setTimeout(() => {
      current = call().then(next);
    }, everyMs);
    timer.unref();
  };
  next();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    return current;
  };
}

function randomKey(): string {
  return randomBytes(16).toString('hex').toUpperCase();
}
