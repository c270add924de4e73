import type Router from '@koa/router';
import type { Context } from 'koa';
import type { RoomName } from '../../../machines/ports.js';
import type { Kind } from '../../documents/sharedTypes.js';
import type { RoomDirectory } from '../../rooms/lookup/roomDirectory.js';
import type { RoomView } from '../../rooms/watching/roomStreams.js';
import type { RoomWatches } from '../../rooms/watching/roomWatches.js';
import type { RoomLog } from '../../wire/logEntry.js';
import { senderOf } from '../auth/instances.js';
import { apiError } from '../errors.js';
import type { Admission } from '../guards/admission.js';
import { requireContent } from '../requireContent.js';
import { parameter, roomParameter, wordParameter } from './query.js';
import { namesInPath, namesOf, type RoomNames } from './roomNames.js';
import type { WatchedElsewhere } from './watchedElsewhere.js';

/** What the streams of rooms need. */
export interface RoomStreamNeeds {
  watches: RoomWatches;
  directory: RoomDirectory;
  roomWatched: (room: RoomName) => void;
  roomUnwatched: (room: RoomName) => void;
}

/** The same, and the other instances of the cluster. */
type Needs = RoomStreamNeeds & { elsewhere: WatchedElsewhere };

const kinds: readonly Kind[] = ['map', 'array', 'text', 'xml'];

/**
 * `GET /api/room/events?room=<name>`: the changes of a room; `GET /api/room/log?room=<name>`: its last
 * updates. Older clients send the name in the path: `GET /api/rooms/<name>/events`, `.../log`. `needs` is
 * undefined if content is hidden.
 */
export function roomStreamRoutes(
  router: Router,
  needs: Needs | undefined,
  admission: Admission,
): void {
  const stream = (ctx: Context, names: RoomNames) =>
    streamRoom(ctx, names, requireContent(needs), admission);
  const log = (ctx: Context, names: RoomNames) => answerLog(ctx, names, requireContent(needs));
  router
    .get('/api/room/events', (ctx) => stream(ctx, [roomParameter(ctx)]))
    .get('/api/room/log', (ctx) => log(ctx, [roomParameter(ctx)]))
    .get(/^\/api\/rooms\/[^/]*\/events$/, (ctx) => stream(ctx, namesInPath(ctx, '/events')))
    .get(/^\/api\/rooms\/[^/]*\/log$/, (ctx) => log(ctx, namesInPath(ctx, '/log')));
}

async function answerLog(ctx: Context, names: RoomNames, needs: Needs): Promise<void> {
  const room = await roomOf(names, needs);
  const watch = needs.watches.get(room);
  // An instance that asks wants to know what is watched here.
  const elsewhere = watch || senderOf(ctx) !== undefined ? undefined : await needs.elsewhere(room);
  if (elsewhere) {
    ctx.body = elsewhere;
    return;
  }
  const log: RoomLog = {
    id: room,
    watched: watch !== undefined,
    ...watch?.findings(),
    entries: watch?.log() ?? [],
  };
  ctx.body = log;
}

async function streamRoom(
  ctx: Context,
  names: RoomNames,
  needs: Needs,
  admission: Admission,
): Promise<void> {
  const view = viewOf(ctx);
  const room = await roomOf(names, needs);
  const viewer = admission.admit(ctx, 'room', !needs.watches.hasPlaceFor(room, view));
  if (!viewer) return;
  needs.watches.add(room, viewer, view);
  needs.roomWatched(room);
  viewer.onGone(() => {
    needs.watches.remove(room, viewer);
    needs.roomUnwatched(room);
  });
}

function viewOf(ctx: Context): RoomView {
  const as = wordParameter(ctx, 'as', ['state', 'updates']);
  const awareness = wordParameter(ctx, 'awareness', ['whole', 'changes']);
  const types = typesOf(parameter(ctx, 'types'));
  return as === 'updates' ? { as, awareness } : { as, types, awareness };
}

/** Reads `name:kind,name:kind`; names that contain a comma or colon are percent-encoded. */
function typesOf(text: string | undefined): Record<string, Kind> {
  const types = Object.create(null) as Record<string, Kind>;
  for (const part of text ? text.split(',') : []) {
    const colon = part.lastIndexOf(':');
    const kind = kinds.find((known) => known === part.slice(colon + 1));
    if (colon < 0 || !kind)
      throw apiError(
        'invalid_parameter',
        `"types" must be name:kind,name:kind with a kind of ${kinds.join(', ')}`,
      );
    const [name = ''] = namesOf(part.slice(0, colon)).slice(-1);
    types[name] = kind;
  }
  return types;
}

async function roomOf(names: RoomNames, needs: RoomStreamNeeds): Promise<RoomName> {
  const watched = names.find((name) => needs.watches.get(name));
  if (watched !== undefined || names.length === 1) return watched ?? names[0];
  return needs.directory.likeliest(names);
}
