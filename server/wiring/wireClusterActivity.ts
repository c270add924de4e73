import type Router from '@koa/router';
import type { Leader } from '../../machines/ports.js';
import type { Activity } from '../activity/activity.js';
import type { ClusterConnection } from '../cluster/connect.js';
import type { InstanceRequests } from '../cluster/instanceRequests.js';
import { LeadersActivity } from '../cluster/leadersActivity.js';
import { PassedActivity } from '../cluster/passedActivity.js';
import { RedisActivity } from '../cluster/redisActivity.js';
import { instanceActivityRoutes } from '../http/routes/instanceActivity.js';

/** What sharing the activity of a cluster needs. */
export interface ClusterActivityNeeds {
  activity: Activity;
  connection: ClusterConnection;
  requests: InstanceRequests;
  isLeading: () => boolean;
  /** Another instance that leads. */
  leader: () => Leader | undefined;
}

/** Collects the events of all instances at the leader, and hands them to the next leader. */
export function wireClusterActivity(needs: ClusterActivityNeeds) {
  const { activity, connection, requests, isLeading, leader } = needs;
  const headers = { 'content-type': 'application/json' };
  const passed = new PassedActivity({
    isLeading,
    leader,
    ask: (to, path, body) => requests.ask(to, path, { method: 'POST', headers, body }),
  });
  const leaders = new LeadersActivity({ activity, store: new RedisActivity(connection) });
  activity.onEvent((event, isOwn) => {
    if (isOwn) passed.add(event);
    leaders.add(event);
  });
  return {
    addRoutes: (router: Router, bodyTimeoutMs: number) =>
      instanceActivityRoutes(router, {
        isLeading,
        take: (event) => activity.take(event),
        bodyTimeoutMs,
      }),
    lead: () => leaders.lead(),
    stopLeading: () => leaders.stopLeading(),
    close: () => {
      leaders.stopLeading();
      passed.close();
    },
  };
}
