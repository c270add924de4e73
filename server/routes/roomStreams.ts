import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { RoomName } from '../../machines/ports.js';
import type { Kind } from '../documents/sharedTypes.js';
import { apiError } from '../http/errors.js';
import type { RoomDirectory } from '../rooms/roomDirectory.js';
import { namesOf, rawNameIn } from '../rooms/roomNames.js';
import type { RoomView } from '../rooms/roomStreams.js';
import type { RoomWatches } from '../rooms/roomWatches.js';
import { type Admission, admitViewer } from './admission.js';
import { parameter, wordParameter } from './query.js';

/** What the streams of rooms need of the rest of the service. */
export interface RoomStreamNeeds extends Admission {
  watches: RoomWatches;
  directory: RoomDirectory;
  roomWatched: (room: RoomName) => void;
  roomUnwatched: (room: RoomName) => void;
}

const kinds: readonly Kind[] = ['map', 'array', 'text', 'xml'];

/** `GET /api/rooms/<name>/events`: a room as it changes; `GET /api/rooms/<name>/log`: its last updates. */
export function roomStreamRoutes(
  router: Router,
  authenticate: Middleware,
  needs: RoomStreamNeeds,
): void {
  router
    .get(/^\/api\/rooms\/[^/]*\/events$/, authenticate, (ctx) => streamRoom(ctx, needs))
    .get(/^\/api\/rooms\/[^/]*\/log$/, authenticate, async (ctx) => {
      const room = await roomOf(ctx, '/log', needs);
      const watch = needs.watches.get(room);
      ctx.body = {
        id: room,
        watched: watch !== undefined,
        ...(watch ? { diverged: watch.status().diverged, garbage: watch.status().garbage } : {}),
        entries: watch?.log() ?? [],
      };
    });
}

async function streamRoom(ctx: Context, needs: RoomStreamNeeds): Promise<void> {
  const view = viewOf(ctx);
  const room = await roomOf(ctx, '/events', needs);
  const isOverfull = needs.watches.isFull && !needs.watches.get(room);
  const viewer = admitViewer(ctx, needs, isOverfull);
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
  const types = typesOf(parameter(ctx, 'types'));
  return as === 'updates' ? { as } : { as, types };
}

/** Reads `name:kind,name:kind`; names are percent-encoded where they hold a comma or colon. */
function typesOf(text: string | undefined): Record<string, Kind> {
  const types = Object.create(null) as Record<string, Kind>;
  for (const part of text ? text.split(',') : []) {
    const colon = part.lastIndexOf(':');
    const kind = kinds.find((known) => known === part.slice(colon + 1));
    if (colon < 0 || !kind)
      throw apiError('invalid_parameter', `"types" is name:kind,… with kind ${kinds.join(', ')}`);
    const [name = ''] = namesOf(part.slice(0, colon)).slice(-1);
    types[name] = kind;
  }
  return types;
}

async function roomOf(ctx: Context, rest: string, needs: RoomStreamNeeds): Promise<RoomName> {
  const names = namesOf(rawNameIn(ctx, rest));
  const watched = names.find((name) => needs.watches.get(name));
  if (watched !== undefined || names.length === 1) return watched ?? names[0];
  return needs.directory.likeliest(names);
}
