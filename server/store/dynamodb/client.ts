import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { withDeadline } from '../../timing/withDeadline.js';
import { openSpan } from '../../tracing/scope.js';
import type { TraceSpan } from '../../tracing/tracing.js';
import { StoreError } from '../store.js';

/** Options of a client. For configured tables, the SDK finds endpoint, region and credentials. */
export type ClientOptions = Pick<DynamoDBClientConfig, 'endpoint' | 'region' | 'credentials'> & {
  /**
   * How long one question may take with all that belongs to it: credentials, retries. Default 3,000 ms.
   * One of two attempts may take two fifths of it, connecting a quarter.
   */
  withinMs?: number;
  /** Called with the table of each request that failed. */
  onFailure?: ((table: string) => void) | undefined;
};

const maxWords = 300;

/**
 * Creates a client. It takes region, endpoint and credentials from the usual AWS variables (`AWS_REGION`,
 * `AWS_ENDPOINT_URL_DYNAMODB`, the credentials chain). Every failure and timeout is a `StoreError`. The
 * caller destroys it.
 */
export function createClient({
  withinMs = 3000,
  onFailure,
  ...own
}: ClientOptions = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    ...own,
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: withinMs / 4,
      requestTimeout: (2 * withinMs) / 5,
      socketTimeout: (2 * withinMs) / 5,
      // Without this, the SDK only logs a warning and goes on waiting.
      throwOnRequestTimeout: true,
    },
  });
  // The outermost step sees a request as a whole, not its attempts.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const { TableName: table } = args.input as { TableName?: string };
      const span = spanOf(context.commandName, table);
      try {
        const answer = await withDeadline(next(args), withinMs, () => throwTimeout(withinMs));
        span?.end();
        return answer;
      } catch (cause) {
        span?.end(nameOf(cause) ?? '_OTHER');
        if (table !== undefined && !isExpected(cause)) onFailure?.(table);
        throw toStoreError(cause, context.commandName, table);
      }
    },
    { step: 'initialize', priority: 'high', name: 'storeErrors' },
  );
  return client;
}

/** A question for a request that is traced. Without its keys, which are names of rooms. */
function spanOf(command = 'Command', table = ''): TraceSpan | undefined {
  const request = openSpan();
  if (!request) return undefined;
  const operation = command.replace(/Command$/, '');
  const attributes = {
    'db.system.name': 'aws.dynamodb',
    'db.operation.name': operation,
    'db.collection.name': table,
  };
  return request.child(`${operation} ${table}`.trim(), { kind: 'client', attributes });
}

/** A condition that does not hold is an answer like any other. */
const isExpected = (cause: unknown) => nameOf(cause) === 'ConditionalCheckFailedException';

const nameOf = (cause: unknown) => (Object(cause) as Partial<Error>).name;

function throwTimeout(ms: number): never {
  throw Object.assign(new Error(`no answer within ${ms} ms`), { name: 'TimeoutError' });
}

function toStoreError(cause: unknown, command = 'a command', table?: string): StoreError {
  const subject = `${command}${table ? ` on the table "${table}"` : ''}`;
  return new StoreError(`${subject} failed: ${wordsOf(cause)}`, { cause });
}

function wordsOf(cause: unknown): string {
  const { name = 'Error', code, message = '' } = Object(cause) as Partial<NodeJS.ErrnoException>;
  // An AggregateError of refused connections has no message, only a `code`.
  const what = code && code !== name ? `${name} (${code})` : name;
  const hint = hints[name] ?? '';
  return `${what}: ${message.slice(0, maxWords)}${hint}`;
}

const seeDocs = 'docs/deploy.md says which tables there have to be';
const hints: Record<string, string> = {
  ResourceNotFoundException: `. There is no such table in this region, at this endpoint; ${seeDocs}`,
  ValidationException: `. The table's key may be another than expected; ${seeDocs}`,
};
