import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { BoundedMap } from '../../boundedMap.js';
import { PageReads } from '../../rooms/lookup/pageReads.js';
import type { ConnectionsTable, StoredConnection } from '../../store/store.js';
import { apiError } from '../errors.js';
import { parameter } from './query.js';

/** What the routes about connections need. */
export interface ConnectionNeeds {
  connections: Pick<ConnectionsTable, 'since' | 'newestFirst'>;
}

interface Kept {
  body: string;
  at: number;
}

/** Answers up to this size are kept, and used while the store does not answer. */
const maxKeptBytes = 1024 * 1024;
const maxKept = 32;

/**
 * `GET /api/connections/latest`: the newest connection of each room, newest first.
 * `GET /api/connections/since_yesterday/<hour>`: all since yesterday at that hour, in local time, oldest
 * first. Both stream the rows page by page. `?room=<name>`: only those of one room.
 */
export function connectionRoutes(router: Router, { connections }: ConnectionNeeds): void {
  const kept = new BoundedMap<string, Kept>(maxKept);
  const reads = new PageReads();
  router
    .get('/api/connections/latest', (ctx) =>
      answer(ctx, 'latest', newestOfEachRoom(inTurn(connections.newestFirst(), reads)), kept),
    )
    .get('/api/connections/since_yesterday/:hour', (ctx) => {
      const since = yesterdayAt(ctx.params.hour ?? '');
      return answer(ctx, since.toISOString(), inTurn(connections.since(since), reads), kept);
    });
}

/** Yesterday at this hour, in local time. */
export function yesterdayAt(hour: string, now = new Date()): Date {
  if (!/^\d{1,2}$/.test(hour) || Number(hour) > 23)
    throw apiError('invalid_parameter', 'the hour must be a whole number from 0 to 23');
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1, Number(hour));
}

/** Limits how many pages are read at a time. Only the first read may fail fast: after it, the answer has started. */
async function* inTurn(
  pages: AsyncIterable<StoredConnection[]>,
  reads: PageReads,
): AsyncGenerator<StoredConnection[]> {
  const iterator = pages[Symbol.asyncIterator]();
  const key = Symbol('pages');
  try {
    for (let waitsForever = false; ; waitsForever = true) {
      const page = await reads.read(key, () => iterator.next(), { waitsForever });
      if (page.done) return;
      yield page.value;
    }
  } finally {
    await iterator.return?.();
  }
}

async function* ofRoom(pages: AsyncIterable<StoredConnection[]>, room: string) {
  for await (const page of pages) yield page.filter(({ roomName }) => roomName === room);
}

async function* newestOfEachRoom(pages: AsyncIterable<StoredConnection[]>) {
  const seen = new Set<string>();
  for await (const page of pages) {
    const newest: StoredConnection[] = [];
    for (const connection of page) {
      if (seen.has(connection.roomName)) continue;
      seen.add(connection.roomName);
      newest.push(connection);
    }
    yield newest;
  }
}

/**
 * Answers with the rows of all pages as a JSON array. If the first page cannot be read, repeats the last answer, but
 * not of a single room: answers of rooms would displace those of all.
 */
async function answer(
  ctx: Context,
  key: string,
  pages: AsyncIterable<StoredConnection[]>,
  kept: Map<string, Kept>,
): Promise<void> {
  ctx.type = 'application/json';
  const room = parameter(ctx, 'room');
  const shown = room === undefined ? pages : ofRoom(pages, room);
  const iterator = shown[Symbol.asyncIterator]();
  let first: IteratorResult<StoredConnection[]>;
  try {
    first = await iterator.next();
  } catch (error) {
    const last = room === undefined ? kept.get(key) : undefined;
    if (!last) throw error;
    ctx.set('Age', String(Math.floor((performance.now() - last.at) / 1000)));
    ctx.set('X-Stale', 'true');
    ctx.body = last.body;
    return;
  }
  ctx.set('Age', '0');
  const keep = (body: string) => {
    if (room === undefined) kept.set(key, { body, at: performance.now() });
  };
  ctx.body = Readable.from(rows(first, iterator, keep));
}

async function* rows(
  first: IteratorResult<StoredConnection[]>,
  rest: AsyncIterator<StoredConnection[]>,
  onWhole: (body: string) => void,
) {
  let whole: string | undefined = '';
  let separator = '[';
  const note = (text: string) => {
    if (whole !== undefined)
      whole = whole.length + text.length > maxKeptBytes ? undefined : whole + text;
    return text;
  };
  try {
    for (let page = first; !page.done; page = await rest.next()) {
      if (page.value.length === 0) continue;
      yield note(separator + JSON.stringify(page.value).slice(1, -1));
      separator = ',';
    }
    yield note(separator === '[' ? '[]' : ']');
    if (whole !== undefined) onWhole(whole);
  } finally {
    await rest.return?.();
  }
}
