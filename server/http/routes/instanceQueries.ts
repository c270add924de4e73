import type Router from '@koa/router';
import { parsePassedQuery, passedQueriesPath } from '../../pubsub/passedQueries.js';
import type { Answered } from '../../pubsub/startupQueries.js';
import type { StartupQuery } from '../../pubsub/startupQuery.js';
import { readSignedBody } from '../auth/instances.js';
import { apiError } from '../errors.js';
import { noLeader } from '../forwardToLeader.js';
import type { BodyLimits } from '../guards/body.js';

/** What answering the queries of other instances needs. */
export interface InstanceQueryNeeds {
  /** Undefined: this instance does not lead. */
  answerPassed: (query: StartupQuery) => Answered | undefined;
  bodyLimits: BodyLimits;
}

const maxBodyBytes = 64 * 1024;

/**
 * `POST /api/instances/queries`: a start-up query of a pub-sub server that reached an instance which does not
 * lead. For other instances of the cluster only. It is never passed on again.
 */
export function instanceQueryRoutes(
  router: Router,
  { answerPassed, bodyLimits }: InstanceQueryNeeds,
): void {
  router.post(passedQueriesPath, async (ctx) => {
    const query = parsePassedQuery(await readSignedBody(ctx, { ...bodyLimits, maxBodyBytes }));
    if (!query) throw apiError('invalid_json');
    const answered = answerPassed(query);
    if (!answered) throw noLeader();
    ctx.res.once('finish', answered.afterwards);
    ctx.body = answered.answer;
  });
}
