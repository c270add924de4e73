import type Router from '@koa/router';
import type { StartupAnswer, StartupQuery } from '../../pubsub/startupQuery.js';
import type { Hosts } from '../auth/hosts.js';
import { isFromBrowser } from '../auth/origins.js';
import { hasDuplicateHost } from '../guards/requestSmuggling.js';
import { hostOf, isForwarded, remoteAddress } from '../remoteAddress.js';

/** What start-up queries need. */
export interface StartupNeeds {
  /** The answer, and what to do after it was sent. */
  answer: (query: StartupQuery) => { answer: StartupAnswer; afterwards: () => void };
  /** The answer to browsers, and after a defect. */
  inactiveAnswer: () => StartupAnswer;
  logDefect: (error: unknown) => void;
}

/**
 * `GET /api/events/clients`: always 200 and JSON. A deployed pub-sub server crashes on a body that is
 * not JSON.
 */
export function startupRoutes(
  router: Router,
  { startup, hosts }: { startup: StartupNeeds; hosts: Hosts },
): void {
  router.get('/api/events/clients', (ctx) => {
    try {
      // A page made the browser ask: it must not learn a token or make this service contact anything.
      if (isFromBrowser(ctx.req.headers)) {
        ctx.body = startup.inactiveAnswer();
        return;
      }
      const port = portOf(ctx.query.port);
      const query = {
        address: remoteAddress(ctx),
        localAddress: ctx.req.socket.localAddress,
        isForwarded: isForwarded(ctx),
        isMisnamed: !hosts.isOwn(hostOf(ctx)) || hasDuplicateHost(ctx.req),
      };
      const { answer, afterwards } = startup.answer(port ? { ...query, port } : query);
      ctx.res.once('finish', afterwards);
      ctx.body = answer;
    } catch (error) {
      startup.logDefect(error);
      ctx.body = startup.inactiveAnswer();
    }
  });
}

function portOf(text: string | string[] | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}
