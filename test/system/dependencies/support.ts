import type { Server } from 'node:http';
import process from 'node:process';
import { afterEach, expect } from '@jest/globals';
import dynalite from 'dynalite';
import { freePort } from '../../../server/demo/serviceChild.js';
import { createClient } from '../../../server/store/dynamodb/client.js';
import { createTables } from '../../../server/store/dynamodb/tables.js';
import type { DependencyReport } from '../../../server/wire/dependencyReport.js';
import { eventually } from '../../support/eventually.js';
import { ask } from '../../support/http.js';
import { owns } from '../../support/stage.js';

/** The names of the tables in these tests. */
export const tables = { rooms: 'ours.rooms', servers: 'ours.servers', connections: 'ours.opened' };

/** The environment variables of a service with these tables. */
export const tableVariables = {
  DYNAMODB_TABLE: tables.rooms,
  DYNAMODB_SERVERS_TABLE: tables.servers,
  DYNAMODB_CONNECTIONS_TABLE: tables.connections,
};

/** What the AWS SDK needs to find a DynamoDB at this port. */
export const awsVariables = (port: number) => ({
  AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
});

const restoring: (() => void)[] = [];
// At once: the next test sets its own.
afterEach(() => {
  for (const restore of restoring.splice(0).reverse()) restore();
});

/** Sets variables of this process until the test is over. Undefined unsets one. */
export function setVariables(variables: Record<string, string | undefined>): void {
  const before = { ...process.env };
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const [name, value] of Object.entries(variables)) set(name, value);
  restoring.push(() => {
    for (const name of Object.keys(variables)) set(name, before[name]);
  });
}

/** A real DynamoDB wire on a fixed port of 127.0.0.1. It starts without tables, and ends with the test. */
export async function dynamoDb(port?: number) {
  const at = port ?? (await freePort());
  let server: Server | undefined;
  const start = async () => {
    const started = dynalite({ createTableMs: 0 });
    await new Promise<void>((resolve, reject) => {
      started.once('error', reject).listen(at, '127.0.0.1', resolve);
    });
    server = started;
  };
  const kill = async () => {
    const ended = server;
    server = undefined;
    if (!ended) return;
    await new Promise<void>((resolve) => {
      ended.close(() => resolve());
      ended.closeAllConnections();
    });
  };
  const makeTables = async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const endpoint = `http://127.0.0.1:${at}`;
    const client = createClient({ endpoint, region: 'eu-west-1', credentials, withinMs: 60_000 });
    await createTables(client, tables).finally(() => client.destroy());
  };
  return owns({ port: at, start, kill, makeTables }, kill);
}

/** The dependencies of a service, as its route tells them. */
export async function dependenciesOf({ url }: { url: string }): Promise<DependencyReport[]> {
  return JSON.parse((await ask(`${url}/api/dependencies`)).text);
}

/** Resolves when a dependency has this state, and this cause. */
export async function untilSeen(
  service: { url: string },
  name: string,
  expected: object,
): Promise<DependencyReport> {
  return eventually(async () => {
    const reports = await dependenciesOf(service);
    const report = reports.find((each) => each.name === name);
    expect(report).toMatchObject(expected);
    return report as DependencyReport;
  });
}

export const answers = { state: 'answers', cause: null } as const;
export const fails = (cause: string) => ({ state: 'fails', cause: expect.stringContaining(cause) });
