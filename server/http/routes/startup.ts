import type Router from '@koa/router';
import type { StartupAnswer, StartupQuery } from '../../pubsub/startupQuery.js';
import type { Hosts } from '../auth/hosts.js';
import { isFromBrowser } from '../auth/origins.js';
import { hasManyHosts } from '../guards/duplicateHeaders.js';
import { hostOf, isForwarded, remoteAddress } from '../remoteAddress.js';

/** What start-up queries need of the rest of the service. */
export interface StartupNeeds {
  /** The answer, and what is to be done once it has been sent. */
  answerStartup: (asker: StartupQuery) => { answer: StartupAnswer; afterwards: () => void };
  /** The answer when there is no other. */
  inactiveAnswer: () => StartupAnswer;
  /** Told of a defect: the asker is answered all the same. */
  logDefect: (error: unknown) => void;
  hosts: Hosts;
}

/**
 * `GET /api/events/clients`: always 200 and JSON. A body that is not JSON ends the process of the
 * deployed pub-sub server that asks.
 */
export function startupRoutes(router: Router, needs: StartupNeeds): void {
  router.get('/api/events/clients', (ctx) => {
    try {
      // No server asks like this: a page is told nothing that counts, and has nobody asked.
      if (isFromBrowser(ctx.req.headers)) {
        ctx.body = needs.inactiveAnswer();
        return;
      }
      const port = portOf(ctx.query.port);
      const asker = {
        address: remoteAddress(ctx),
        localAddress: ctx.req.socket.localAddress,
        isForwarded: isForwarded(ctx),
        isMisnamed: !needs.hosts.isOwn(hostOf(ctx)) || hasManyHosts(ctx.req),
      };
      const { answer, afterwards } = needs.answerStartup(port ? { ...asker, port } : asker);
      ctx.res.once('finish', afterwards);
      ctx.body = answer;
    } catch (error) {
      needs.logDefect(error);
      ctx.body = needs.inactiveAnswer();
    }
  });
}

function portOf(text: string | string[] | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
