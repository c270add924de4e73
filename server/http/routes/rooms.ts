import type Router from '@koa/router';
import type { Context } from 'koa';
import { appendJsonField } from '../../appendJsonField.js';
import type { DocumentWork } from '../../rooms/lookup/documentWork.js';
import { readStates } from '../../rooms/lookup/readStates.js';
import { roomDates } from '../../rooms/lookup/roomDates.js';
import {
  countNotAsked,
  type FoundRoom,
  maxAsked,
  type RoomDirectory,
} from '../../rooms/lookup/roomDirectory.js';
import { serversOf } from '../../rooms/lookup/roomFindings.js';
import type { RoomList } from '../../rooms/lookup/roomList.js';
import type { RoomWatches } from '../../rooms/watching/roomWatches.js';
import { asBuffer } from '../../sse/frames.js';
import type { RoomServers } from '../../wire/roomServers.js';
import { senderOf } from '../auth/instances.js';
import { type ApiError, apiError, type ErrorCode } from '../errors.js';
import { toApiError } from '../refusals.js';
import { requireContent } from '../requireContent.js';
import { numberParameter, parameter, roomParameter, wordParameter } from './query.js';
import { namesInPath, type RoomNames } from './roomNames.js';
import type { WatchedElsewhere } from './watchedElsewhere.js';

/** What the routes about rooms need. */
export interface RoomNeeds {
  roomList: RoomList;
  directory: RoomDirectory;
  /** Undefined: content is hidden, and the directory asks no server for it. */
  content: RoomContentNeeds | undefined;
}

/** What reads documents, and the rooms that are watched. */
interface RoomContentNeeds {
  documents: DocumentWork;
  watches: RoomWatches;
}

/** The same, and the other instances of the cluster. */
type Needs = RoomNeeds & { elsewhere: WatchedElsewhere };

const maxLimit = 1000;

/** `GET /api/rooms`: the rooms of the store and of the live counts. */
export function roomListRoutes(router: Router, needs: RoomNeeds): void {
  // With a trailing slash, it is the room with the empty name.
  router.get(/^\/api\/rooms$/, (ctx) => answerList(ctx, needs));
}

/**
 * `GET /api/room?room=<name>` and `GET /api/room/servers?room=<name>`. Older clients send the name in the path,
 * where proxies may change it: `GET /api/rooms/<name>` and below.
 */
export function roomRoutes(router: Router, needs: Needs): void {
  router
    .get('/api/room', (ctx) => answerRoom(ctx, [roomParameter(ctx)], needs))
    .get('/api/room/servers', (ctx) => answerServers(ctx, [roomParameter(ctx)], needs))
    .get(/^\/api\/rooms\/([^/]*)\/servers$/, (ctx) =>
      answerServers(ctx, namesInPath(ctx, '/servers'), needs),
    )
    .get(/^\/api\/rooms\/.*$/s, (ctx) => answerRoom(ctx, namesInPath(ctx, ''), needs));
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
  // A header, because an empty list has no room to say so.
  ctx.set('X-Complete', String(value.isComplete));
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

/** The room as one Yjs update; or as JSON, if the client does not accept bytes. */
async function answerRoom(ctx: Context, names: RoomNames, needs: RoomNeeds): Promise<void> {
  // Clients of the old service prefer JSON in `Accept`, but expect bytes.
  if (ctx.accepts('application/octet-stream')) await answerState(ctx, names, needs);
  else await answerMetadata(ctx, names, needs);
}

async function answerState(ctx: Context, names: RoomNames, needs: RoomNeeds): Promise<void> {
  const { documents } = requireContent(needs.content);
  const found = await readStates(await find(ctx, names, needs), documents);
  ctx.vary('Accept');
  const states = statesOf(found);
  if (states.length === 0) throw noState(found);
  ctx.type = 'application/octet-stream';
  ctx.body = asBuffer(await documents.merge(found.room, states));
}

async function answerMetadata(ctx: Context, names: RoomNames, needs: RoomNeeds): Promise<void> {
  const documents = needs.content?.documents;
  const named = await find(ctx, names, needs);
  const found = documents ? await readStates(named, documents) : named;
  ctx.vary('Accept');
  const { connections, isComplete: complete } = found.facts;
  const { json, ...about } = documents
    ? await documentOf(found, documents)
    : noDocument('content_hidden');
  const metadata = { connections, complete };
  const head = JSON.stringify({ ...aboutRoom(found), ...metadata, ...about });
  ctx.type = 'application/json';
  // The document is already JSON text, and may be large.
  ctx.body = appendJsonField(head, 'document', json);
}

/**
 * Which servers hold the room: by the store, by the live counts, and by their own answers. While the room
 * is watched, also which servers differ.
 */
async function answerServers(ctx: Context, names: RoomNames, needs: Needs): Promise<void> {
  const named = await find(ctx, names, needs, true);
  const { content, elsewhere } = needs;
  const servers: RoomServers = content
    ? await examined(named, content, elsewhere)
    : aboutRoom(named);
  ctx.body = servers;
}

/** The servers, and what is wrong with the documents that they hold. */
async function examined(
  named: FoundRoom,
  { documents, watches }: RoomContentNeeds,
  elsewhere: WatchedElsewhere,
): Promise<RoomServers> {
  const found = await readStates(named, documents, { isListing: true });
  const watch = watches.get(found.room)?.findings() ?? (await elsewhere(found.room));
  return { ...aboutRoom(found), ...(watch?.diverged && { diverged: watch.diverged }) };
}

/** Finds the room that a request means; throws `room_not_found`. */
async function find(
  ctx: Context,
  names: RoomNames,
  { directory, content }: RoomNeeds,
  isThorough = false,
): Promise<FoundRoom> {
  // An instance that asks may show content. It answers itself then.
  if (!content && senderOf(ctx) !== undefined) throw apiError('content_hidden');
  const gone = new AbortController();
  ctx.res.once('close', () => gone.abort());
  const found = await directory.find(names, { signal: gone.signal, isThorough });
  if (found) return found;
  const servers = await directory.allServers('');
  throw apiError('room_not_found', notAskedBecause(servers.length));
}

function aboutRoom(found: FoundRoom) {
  const { room, isAskable, isStorable, item, facts } = found;
  return {
    ...roomDates(item?.value, facts.seen),
    bytes: item?.value?.bytes ?? null,
    id: room,
    askable: isAskable,
    storable: isStorable,
    servers: serversOf(found),
    notAsked: found.notAsked,
    storeAgeSeconds: item?.ageSeconds ?? null,
    storeStale: item?.isStale ?? true,
  };
}

const noDocument = (code: ErrorCode) => ({ json: 'null', truncated: false, documentError: code });

/** The document as JSON text; or `null` and the reason. */
async function documentOf(found: FoundRoom, documents: DocumentWork) {
  const states = statesOf(found);
  if (states.length === 0) return noDocument(noState(found).code);
  try {
    const { json, isTruncated } = await documents.toJson(found.room, states);
    return { json, truncated: isTruncated, documentError: null };
  } catch (error) {
    const { code } = toApiError(error);
    if (code === 'internal') throw error;
    return noDocument(code);
  }
}

function statesOf({ asked }: FoundRoom): Uint8Array[] {
  return asked.flatMap(({ answer }) => (answer.kind === 'holds' ? [answer.state] : []));
}

function noState(found: FoundRoom): ApiError {
  if (found.asked.some(({ answer }) => answer.kind === 'unreadable'))
    return apiError('room_unreadable');
  return apiError('room_not_found', noStateBecause(found));
}

function noStateBecause({ isAskable, notAsked }: FoundRoom): string | undefined {
  if (!isAskable) return 'the servers that hold it cannot be asked for a room of this name';
  return notAsked > 0 ? notAskedBecause(maxAsked + notAsked) : undefined;
}

/** Undefined: all of these servers were asked. */
function notAskedBecause(servers: number): string | undefined {
  const notAsked = countNotAsked(servers);
  if (notAsked === 0) return undefined;
  return `${maxAsked} servers were asked; ${notAsked} were not asked`;
}
