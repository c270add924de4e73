import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../../timing/withDeadline.js';
import { StoreError } from '../store.js';

/** What the SDK does not find by itself; left out for a table of one's own. */
export type ClientOptions = Pick<DynamoDBClientConfig, 'endpoint' | 'region' | 'credentials'> & {
  /**
   * How long one question may take with all that belongs to it: credentials, retries. Default 3,000 ms.
   * One of two attempts may take two fifths of it, connecting a quarter.
   */
  withinMs?: number;
};

const maxWords = 300;

/**
 * A client that takes region, endpoint and credentials from the SDK's own variables (`AWS_REGION`,
 * `AWS_ENDPOINT_URL_DYNAMODB`, the credentials chain). Whatever fails, and whatever takes too long,
 * is a `StoreError`. Whoever creates it destroys it.
 */
export function createClient({ withinMs = 3000, ...own }: ClientOptions = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    ...own,
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: withinMs / 4,
      requestTimeout: (2 * withinMs) / 5,
      socketTimeout: (2 * withinMs) / 5,
      // Without it the SDK only warns, and waits on.
      throwOnRequestTimeout: true,
    },
  });
  // The outermost step: it sees one question as a whole, not its attempts.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const { TableName: table } = args.input as { TableName?: string };
      try {
        return await withDeadline(next(args), withinMs, () => throwTimeout(withinMs));
      } catch (cause) {
        throw toStoreError(cause, context.commandName, table);
      }
    },
    { step: 'initialize', priority: 'high', name: 'storeErrors' },
  );
  return client;
}

function throwTimeout(ms: number): never {
  throw Object.assign(new Error(`no answer within ${ms} ms`), { name: 'TimeoutError' });
}

function toStoreError(cause: unknown, command = 'a command', table?: string): StoreError {
  const subject = `${command}${table ? ` on the table "${table}"` : ''}`;
  return new StoreError(`${subject} failed: ${wordsOf(cause)}`, { cause });
}

function wordsOf(cause: unknown): string {
  const { name = 'Error', code, message = '' } = Object(cause) as Partial<NodeJS.ErrnoException>;
  // An AggregateError of refused connections has no message, and only `code` says what it was.
  const what = code && code !== name ? `${name} (${code})` : name;
  const hint = hints[name] ?? '';
  return `${what}: ${message.slice(0, maxWords)}${hint}`;
}

const seeDocs = 'docs/deploy.md says which tables there have to be';
const hints: Record<string, string> = {
  ResourceNotFoundException: `. There is no such table in this region, at this endpoint; ${seeDocs}`,
  ValidationException: `. The table's key may be another than expected; ${seeDocs}`,
};
