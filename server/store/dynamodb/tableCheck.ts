import {
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { awsCause } from '../../dependencies/awsCause.js';
import type { TableKind } from './tables.js';

/** A question to one table, with a client of its own. The caller closes it. */
export interface TableCheck {
  /** Resolves if the table can be read. Rejects with an error of the SDK, or when the signal aborts. */
  ask(signal: AbortSignal): Promise<unknown>;
  /** Why a question failed, in plain words. */
  causeOf(error: unknown): string;
  /** What it waits for, if it waits for anything but the table. */
  lateCause(): string | undefined;
  close(): void;
}

type Options = { abortSignal: AbortSignal };

/**
 * The least of what the service itself asks of each table, so that it needs no further permission. Each of
 * these costs at most half a read unit.
 */
const questions: Record<TableKind, (at: DynamoDBClient, name: string, how: Options) => unknown> = {
  rooms: (at, TableName, how) =>
    at.send(new GetItemCommand({ TableName, Key: { id: { S: 'pubsub-dashboard' } } }), how),
  servers: (at, TableName, how) => at.send(new ScanCommand({ TableName, Limit: 1 }), how),
  connections: (at, TableName, how) =>
    at.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#hour = :hour',
        ExpressionAttributeNames: { '#hour': 'hour' },
        ExpressionAttributeValues: { ':hour': { S: new Date().toISOString().slice(0, 13) } },
        Limit: 1,
      }),
      how,
    ),
};

/** Checks a table. `onPlace` is called with where it is, as soon as the region is known. */
export function tableCheck(
  kind: TableKind,
  table: string,
  onPlace: (where: string) => void = () => {},
): TableCheck {
  const client = new DynamoDBClient({ maxAttempts: 1 });
  let place = placeOf(table);
  let isWaitingForCredentials = false;
  return {
    ask: async (abortSignal) => {
      place = placeOf(table, await client.config.region());
      onPlace(place);
      isWaitingForCredentials = true;
      await client.config.credentials();
      isWaitingForCredentials = false;
      return questions[kind](client, table, { abortSignal });
    },
    causeOf: (error) => {
      isWaitingForCredentials = false;
      const { name } = Object(error) as Partial<Error>;
      if (name === 'ResourceNotFoundException')
        return `${place.replace(' in ', ' does not exist in ')}`;
      if (name === 'ValidationException') return `the key of ${place} is another than expected`;
      return awsCause(error);
    },
    lateCause: () =>
      isWaitingForCredentials ? 'no credentials: nothing provides them in time' : undefined,
    close: () => client.destroy(),
  };
}

const arn = /^arn:[\w-]+:dynamodb:([\w-]+):\d{12}:table\/(.+)$/;

/** `table rooms in eu-west-1`. The region of an ARN counts. */
export function placeOf(table: string, region?: string): string {
  const [, own, name] = arn.exec(table) ?? [];
  const where = own ?? region;
  return `table ${name ?? table}${where === undefined ? '' : ` in ${where}`}`;
}
