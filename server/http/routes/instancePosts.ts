import type Router from '@koa/router';
import {
  type PassedPost,
  type PassedResult,
  parsePassedPosts,
  passedPostsPath,
} from '../../pubsub/passedPosts.js';
import { readSignedBody } from '../auth/instances.js';
import { apiError } from '../errors.js';
import { noLeader } from '../forwardToLeader.js';
import type { BodyLimits } from '../guards/body.js';

/** What taking the posts of other instances needs. */
export interface InstancePostNeeds {
  /** Takes posts that another instance passed on. Undefined: this instance does not lead. */
  takePassed: (posts: readonly PassedPost[]) => PassedResult[] | undefined;
  /** Limits of one post. */
  bodyLimits: BodyLimits;
}

const mebibyte = 1024 * 1024;
/** Longest escape of a character in JSON, in characters: `\u0000`. */
const maxEscapeLength = 6;

/**
 * `POST /api/instances/posts`: posts of pub-sub servers that reached an instance which does not lead. For other
 * instances of the cluster only. They are never passed on again.
 */
export function instancePostRoutes(
  router: Router,
  { takePassed, bodyLimits }: InstancePostNeeds,
): void {
  const maxBodyBytes = maxEscapeLength * Math.max(bodyLimits.maxBodyBytes, mebibyte) + mebibyte;
  router.post(passedPostsPath, async (ctx) => {
    const body = await readSignedBody(ctx, { ...bodyLimits, maxBodyBytes });
    const posts = parsePassedPosts(body);
    if (!posts) throw apiError('invalid_json');
    const results = takePassed(posts);
    if (!results) throw noLeader();
    ctx.body = { results };
  });
}
