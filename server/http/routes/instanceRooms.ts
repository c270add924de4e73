import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { parseJson } from '../../parseJson.js';
import { answerServers, serversPath } from '../../rooms/instances/factsAnswers.js';
import type { RoomSources } from '../../rooms/instances/roomSources.js';
import { serverIdShape } from '../../serverIdShape.js';
import { Viewer } from '../../sse/viewer.js';
import { readSignedBody } from '../auth/instances.js';
import { apiError } from '../errors.js';
import { noLeader } from '../forwardToLeader.js';
import { requireContent } from '../requireContent.js';
import { roomParameter } from './query.js';

/** What the routes about rooms for other instances need. */
export interface InstanceRoomNeeds {
  /** What the leader offers; undefined: this instance does not lead. */
  led: () => RoomSources['led'];
  bodyTimeoutMs: number;
  /** False: this instance passes no content on, and asks no server for it. */
  showsContent: boolean;
}

const maxBodyBytes = 64 * 1024;
const maxAnswers = 256;

const roundBody = z.object({
  room: z.string(),
  notes: z.int().min(0),
  answers: z
    .array(z.tuple([serverIdShape, z.enum(['holds', 'unreadable', 'denies', 'failed', 'unasked'])]))
    .max(maxAnswers),
});

/**
 * Routes of the leader for instances that watch rooms; each throws `no_leader` if this instance does not lead.
 * `GET /api/instances/rooms/holders`, `.../servers`: who may hold a room. `GET /api/instances/rooms/posts`: what
 * servers post about a room, as events. `POST /api/instances/rooms/rounds`: what a round found.
 * `GET /api/instances/updates`: every update of every document, as events. Those with content throw
 * `content_hidden` if this instance hides it.
 */
export function instanceRoomRoutes(
  router: Router,
  { led, bodyTimeoutMs, showsContent }: InstanceRoomNeeds,
): void {
  const leading = () => {
    const known = led();
    if (!known) throw noLeader();
    return known;
  };
  const showing = () => requireContent(showsContent ? leading() : undefined);
  router
    .get('/api/instances/rooms/holders', async (ctx) => {
      const addresses = [ctx.query.address ?? []].flat();
      ctx.body = await leading().fleet.facts.factsOf(roomParameter(ctx), addresses);
    })
    .get(serversPath, async (ctx) => {
      ctx.body = await answerServers(leading().fleet.facts);
    })
    .get('/api/instances/rooms/posts', (ctx) => {
      const { postStreams } = showing();
      const room = roomParameter(ctx);
      postStreams.add(open(ctx, postStreams.isFull), room);
    })
    .post('/api/instances/rooms/rounds', async (ctx) => {
      const body = await readSignedBody(ctx, { maxBodyBytes, bodyTimeoutMs });
      const { data } = roundBody.safeParse(parseJson(body));
      if (!data) throw apiError('invalid_parameter', 'the body is not the end of a round');
      showing().postStreams.endRound(data.room, new Map(data.answers), data.notes);
      ctx.status = 204;
    })
    .get('/api/instances/updates', (ctx) => {
      const { updateStreams } = showing();
      updateStreams.add(open(ctx, updateStreams.isFull));
    });
}

/** Streams to instances are not among `MAX_VIEWERS`. */
function open(ctx: Context, isFull: boolean): Viewer {
  if (isFull) throw apiError('too_many_viewers');
  return new Viewer(ctx);
}
