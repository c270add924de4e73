import type Router from '@koa/router';
import type { Leader } from '../../machines/ports.js';
import type { InboxWriter } from '../cluster/inboxWriter.js';
import type { InstanceRequests } from '../cluster/instanceRequests.js';
import type { Config } from '../config/config.js';
import type { BodyLimits } from '../http/guards/body.js';
import { instancePostRoutes } from '../http/routes/instancePosts.js';
import { instanceQueryRoutes } from '../http/routes/instanceQueries.js';
import type { CallbackReceiver } from '../pubsub/callbackReceiver.js';
import { InstanceCallbacks } from '../pubsub/instanceCallbacks.js';
import { PassedPosts } from '../pubsub/passedPosts.js';
import { PassedQueries } from '../pubsub/passedQueries.js';
import type { ServerParts } from './wireServers.js';

/** What posts and start-up queries at any instance need from the rest of it. */
export interface CallbackWiringNeeds {
  config: Config;
  servers: ServerParts;
  inbox: InboxWriter;
  requests: InstanceRequests;
  /** Another instance that leads. */
  leader: () => Leader | undefined;
  /** What takes them while this instance leads. */
  receiver: () => CallbackReceiver | undefined;
  isDraining: () => boolean;
}

/** Pub-sub servers wait for an answer. Without one of the leader, this instance gives its own. */
const queryTimeoutMs = 1000;

/** Creates what takes posts and start-up queries at an instance of a cluster, or passes them on. */
export function wireInstanceCallbacks(needs: CallbackWiringNeeds): InstanceCallbacks {
  const { config, servers, inbox, requests, leader, receiver, isDraining } = needs;
  const headers = { 'content-type': 'application/json' };
  const ask = (to: Leader, path: string, body: string, timeoutMs?: number) =>
    requests.ask(to, path, { method: 'POST', body, headers, ...(timeoutMs && { timeoutMs }) });
  return new InstanceCallbacks({
    receiver,
    leader,
    tokens: servers.tokens,
    passed: new PassedPosts({ ask }),
    passedQueries: new PassedQueries({
      ask: (to, path, body) => ask(to, path, body, queryTimeoutMs),
    }),
    inbox,
    urls: servers.urls,
    book: servers.book,
    pubSubPort: config.pubSubPort,
    isLeaving: isDraining,
  });
}

/** Adds the routes by which other instances pass posts and start-up queries on to this one. */
export function addCallbackRoutes(
  router: Router,
  callbacks: InstanceCallbacks,
  bodyLimits: BodyLimits,
): void {
  const takePassed = callbacks.takePassed.bind(callbacks);
  const answerPassed = callbacks.answerPassed.bind(callbacks);
  instancePostRoutes(router, { takePassed, bodyLimits });
  instanceQueryRoutes(router, { answerPassed, bodyLimits });
}
