import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { apiError } from '../errors.js';
import type { Asked, FoundRoom, RoomDirectory } from '../roomDirectory.js';
import type { RoomList } from '../roomList.js';
import { namesOf, rawNameIn } from '../roomNames.js';
import type { DocumentWork } from '../rooms/documentWork.js';
import { numberParameter, parameter, wordParameter } from './query.js';

/** What the routes about rooms need of the rest of the service. */
export interface RoomNeeds {
  roomList: RoomList;
  directory: RoomDirectory;
  documents: DocumentWork;
}

const maxLimit = 1000;

/** `GET /api/rooms`, `GET /api/rooms/<name>`, `GET /api/rooms/<name>/servers`. */
export function roomRoutes(router: Router, authenticate: Middleware, needs: RoomNeeds): void {
  router
    .get('/api/rooms', authenticate, (ctx) => answerList(ctx, needs))
    .get(/^\/api\/rooms\/([^/]*)\/servers$/, authenticate, (ctx) => answerServers(ctx, needs))
    .get(/^\/api\/rooms\/.*$/s, authenticate, (ctx) => answerRoom(ctx, needs));
}

async function answerList(ctx: Context, { roomList }: RoomNeeds): Promise<void> {
  const limit = numberParameter(ctx, 'limit', { min: 1, max: maxLimit, otherwise: maxLimit });
  const cursor = parameter(ctx, 'cursor');
  const query = {
    limit,
    prefix: parameter(ctx, 'prefix') ?? '',
    isActiveOnly: wordParameter(ctx, 'active', ['false', 'true']) === 'true',
    sort: wordParameter(ctx, 'sort', ['name', 'connections']),
    ...(cursor !== undefined && { cursor }),
  };
  const { value, ageSeconds, isStale } = await roomList.page(query);
  ctx.set('Age', String(ageSeconds));
  if (isStale) ctx.set('X-Stale', 'true');
  if (value.cursor !== undefined) {
    const next = new URLSearchParams({
      ...(ctx.query as Record<string, string>),
      limit: `${limit}`,
    });
    next.set('cursor', value.cursor);
    ctx.set('Link', `<?${next}>; rel="next"`);
  }
  ctx.body = value.rooms;
}

/** The room's state as one update, or its metadata and content as JSON. */
async function answerRoom(ctx: Context, needs: RoomNeeds): Promise<void> {
  const { room, item, asked } = await find(ctx, '', needs);
  const states = asked.flatMap(({ said }) => (said.kind === 'holds' ? [said.state] : []));
  ctx.vary('Accept');
  if (ctx.accepts('application/octet-stream', 'application/json') !== 'application/json') {
    if (states.length === 0) throw apiError('room_not_found', noStateBecause(asked));
    ctx.type = 'application/octet-stream';
    ctx.body = Buffer.from(await needs.documents.merge(states));
    return;
  }
  const { createdAt = null, updatedAt = null, bytes = null } = item?.value ?? {};
  const head = JSON.stringify({
    id: room,
    createdAt,
    updatedAt,
    bytes,
    connections: needs.directory.tally.totals.get(room) ?? 0,
    servers: asked.map(describe),
    ...freshness(item),
  });
  // The document is JSON text already: a large one is not parsed to be written again.
  const document = states.length > 0 ? await needs.documents.toJson(states) : null;
  ctx.type = 'application/json';
  ctx.body = `${head.slice(0, -1)},"document":${document}}`;
}

/** Which servers hold the room, by the store, by the live counts and by their own word. */
async function answerServers(ctx: Context, needs: RoomNeeds): Promise<void> {
  const { room, item, asked } = await find(ctx, '/servers', needs);
  ctx.body = { id: room, servers: asked.map(describe), ...freshness(item) };
}

/** The room that a path means: `/api/rooms/<name><rest>`, the name raw or encoded. */
async function find(ctx: Context, rest: string, { directory }: RoomNeeds): Promise<FoundRoom> {
  const gone = new AbortController();
  ctx.res.once('close', () => gone.abort());
  const found = await directory.find(namesOf(rawNameIn(ctx, rest)), gone.signal);
  if (!found) throw apiError('room_not_found');
  return found;
}

function describe({ server, isStored, connections, said }: Asked) {
  const finding = findingOf({ server, isStored, connections, said });
  return {
    server,
    stored: isStored,
    connections,
    answer: said.kind,
    ...(said.kind === 'failed' && { failure: said.cause }),
    finding,
  };
}

/** Where the store, the live counts and the server itself disagree; null: they do not. */
function findingOf({ isStored, connections, said }: Asked): string | null {
  if (said.kind === 'failed' && isStored) return 'dead_address';
  if (said.kind === 'denies' && (isStored || connections > 0)) return 'denied';
  if (said.kind === 'holds' && !isStored) return 'not_stored';
  if (said.kind === 'holds' && connections === 0) return 'no_connection';
  return null;
}

function noStateBecause(asked: readonly Asked[]): string | undefined {
  const isUnasked = asked.some(({ said }) => said.kind === 'unasked');
  return isUnasked ? 'servers cannot be asked for a name with these characters' : undefined;
}

function freshness(item: FoundRoom['item']) {
  return { storeAgeSeconds: item?.ageSeconds ?? null, storeStale: item?.isStale ?? true };
}
