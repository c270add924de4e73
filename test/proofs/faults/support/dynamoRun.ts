/** A DynamoDB server in its own process, which a test can suspend, kill and restart. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../../server/demo/serviceChild.js';
import { createClient } from '../../../../server/store/dynamodb/client.js';
import { defaultNames } from '../../../../server/store/dynamodb/tables.js';
import { eventually } from '../../../support/eventually.js';
import { owns } from '../../../support/stage.js';

/** A running DynamoDB server. It ends with its test. */
export interface DynamoRun {
  /** The variables that the AWS SDK reads. */
  readonly env: Record<string, string>;
  readonly endpoint: string;
  suspend(): void;
  /** SIGKILL, suspended or not. */
  kill(): Promise<void>;
  /** Starts it on the same port, with the same data. */
  start(): Promise<void>;
}

/** The tables of `createTables`, as variables of the service. */
export const tableNames = {
  DYNAMODB_TABLE: defaultNames.rooms,
  DYNAMODB_SERVERS_TABLE: defaultNames.servers,
  DYNAMODB_CONNECTIONS_TABLE: defaultNames.connections,
};

/** A client for the test itself, with time for a busy machine. */
export function clientTo({ endpoint }: { endpoint: string }) {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  return owns(createClient({ endpoint, region: 'local', credentials, withinMs: 20_000 }), (it) =>
    it.destroy(),
  );
}

const program = createRequire(import.meta.url).resolve('dynalite/cli.js');

/** Starts one. Resolves when it answers. */
export async function startDynamo(): Promise<DynamoRun> {
  const path = owns(await mkdtemp(join(tmpdir(), 'dynamo-')), (it) => rm(it, { recursive: true }));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const options = { host: '127.0.0.1', port, path, createTableMs: 0 };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  let child: ChildProcess | undefined;
  const run: DynamoRun = {
    endpoint,
    env: {
      AWS_ENDPOINT_URL_DYNAMODB: endpoint,
      AWS_REGION: 'local',
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    },
    suspend: () => child?.kill('SIGSTOP'),
    kill: async () => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
    start: async () => {
      child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' });
      await eventually(() => fetch(endpoint));
    },
  };
  await run.start();
  return owns(run, () => run.kill());
}
