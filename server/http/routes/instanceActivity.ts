import type Router from '@koa/router';
import { parsePassedActivity, passedActivityPath } from '../../cluster/passedActivity.js';
import type { ActivityEvent } from '../../wire/activityEvent.js';
import { readSignedBody } from '../auth/instances.js';
import { apiError } from '../errors.js';
import { noLeader } from '../forwardToLeader.js';

/** What taking the events of other instances needs. */
export interface InstanceActivityNeeds {
  isLeading: () => boolean;
  take: (event: ActivityEvent) => void;
  bodyTimeoutMs: number;
}

/** Fifty events with the longest names of rooms that a server accepts. */
const maxBodyBytes = 4 * 1024 * 1024;

/** `POST /api/instances/activity`: events of an instance that does not lead. For other instances of the cluster only. */
export function instanceActivityRoutes(
  router: Router,
  { isLeading, take, bodyTimeoutMs }: InstanceActivityNeeds,
): void {
  router.post(passedActivityPath, async (ctx) => {
    const events = parsePassedActivity(await readSignedBody(ctx, { maxBodyBytes, bodyTimeoutMs }));
    if (!events) throw apiError('invalid_parameter', 'the body is not a list of events');
    if (!isLeading()) throw noLeader();
    for (const event of events) take(event);
    ctx.status = 204;
  });
}
